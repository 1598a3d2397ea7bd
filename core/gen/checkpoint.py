"""Checkpoints that are whole or absent, and inert: safetensors and JSON, hashed in a manifest, nothing else.

    checkpoints/step-00000500/          a published checkpoint: manifest.json, state.json, one .safetensors per stem
    checkpoints/.tmp-step-00000500/     being written; a leftover once its process is gone
    checkpoints/.old-step-00000500/     set aside while a second save of the same step takes its place; it counts until
                                        that one has, so that there is a whole checkpoint at every instant
    checkpoints/.dead-step-00000250/    retired, being deleted

A save writes and fsyncs every file in `.tmp-…`, fsyncs that folder, renames it, fsyncs the parent; only then may old
checkpoints be retired. Nothing points to the newest checkpoint: it is the highest step whose manifest holds.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import attrs
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from gen.errors import CheckpointError, Stopped
from gen.files import JSON, dump_json, read_json, remove, stopped, sync_folder, write_new
from gen.integrity import (
    MANIFEST,
    PLACE,
    STATE,
    STEM,
    SUFFIX,
    FileRecord,
    Manifest,
    check_files,
    check_whole,
    read_header,
)

__all__ = [
    "Checkpoint",
    "FileRecord",
    "Writer",
    "load",
    "newest",
    "retire",
    "save",
    "steps",
    "sweep",
    "trial",
    "verify",
]


@attrs.frozen(eq=False)
class Checkpoint:
    """A loaded checkpoint; `tensors` maps the stem of a file to its tensors by name (on the CPU)."""

    step: int
    path: Path
    state: dict[str, JSON]
    tensors: dict[str, dict[str, Tensor]]


# ---- saving --------------------------------------------------------------------------------------------------------


class Writer:
    """One save, shared by all ranks: rank 0 begins, every rank writes its files, rank 0 publishes.

    The ranks meet between the three (the caller's barrier or gather). A method that fails raises `Stopped` and removes
    the half-made folder: the save is over for all ranks, and earlier checkpoints stand.
    """

    def __init__(self, folder: Path, step: int, *, needs: int = 0) -> None:
        """`needs`: the bytes of the whole checkpoint, where known, for the message about a full disk."""
        self.path = folder / _name(step)
        self._folder, self._step, self._needs, self._written = folder, step, needs, 0
        self._temp = folder / f".tmp-{self.path.name}"

    def begin(self) -> None:
        """Clear what an interrupted save of this step left, and make the temporary folder (rank 0).

        Raises:
            Stopped: the place is full or not writable.
        """
        with self._guard():
            self._folder.mkdir(parents=True, exist_ok=True)
            _restore(self._folder, self.path.name)
            remove(self._temp)
            os.mkdir(self._temp)

    def write(self, stem: str, tensors: Mapping[str, Tensor]) -> FileRecord:
        """Write `{stem}.safetensors` and fsync it (any rank; each stem once).

        Raises:
            Stopped: the place is full or not writable.
            ValueError: the stem cannot be the name of a file.
        """
        if not STEM.fullmatch(stem):
            raise ValueError(f"a checkpoint file cannot be called {stem!r}: use a-z, 0-9, '.', '_' and '-'")
        return self._write(stem + SUFFIX, safetensors.torch.save(_plain(tensors)))

    def publish(self, state: Mapping[str, JSON], records: Iterable[FileRecord]) -> Path:
        """Add state and manifest, then give the folder its name (rank 0, with the records of all ranks).

        Raises:
            Stopped: the place is full or not writable, or the files in the folder are not those of the records.
        """
        files = [*records, self._write(STATE, dump_json(dict(state)).encode())]
        manifest = Manifest(self._step, {record.name: record for record in files})
        assert len(manifest.files) == len(files), "two ranks wrote one file"
        with self._guard():
            write_new(self._temp / MANIFEST, manifest.dump())
            check_files(self._temp)
            sync_folder(self._temp)
            self._take_place()
        return self.path

    def _write(self, name: str, data: bytes) -> FileRecord:
        self._written += len(data)
        with self._guard():
            write_new(self._temp / name, data)
        return FileRecord(name, len(data), hashlib.sha256(data).hexdigest())

    def _take_place(self) -> None:
        # Two folders cannot be exchanged in one portable step: the old one is set aside under a name that still counts.
        aside = self._folder / f".old-{self.path.name}"
        replaces = os.path.lexists(self.path)
        if replaces:
            os.rename(self.path, aside)
        os.rename(self._temp, self.path)
        sync_folder(self._folder)
        if replaces:
            _discard(aside)

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            abandoned = isinstance(error, FileNotFoundError) and self._folder.exists() and not self._temp.exists()
            remove(self._temp)
            what = f"the checkpoint of step {self._step} at {self.path}"
            if abandoned:  # the rank that failed first has the message that matters
                raise Stopped(f"{what} was given up by another process, or its folder was removed") from error
            raise _stopped(error, what, self._folder, max(self._needs, self._written)) from error
        except CheckpointError as error:  # the check before publishing found a file absent, short or unreadable
            remove(self._temp)
            raise Stopped(f"the checkpoint of step {self._step} was not written whole: {error}") from error


def save(folder: Path, step: int, tensors: Mapping[str, Mapping[str, Tensor]], state: Mapping[str, JSON]) -> Path:
    """Save a checkpoint from one process: whole or not at all. A second save of a step replaces the first.

    Raises:
        Stopped: the place is full or not writable; the message says what is needed, and which checkpoint stands.
        ValueError: a stem cannot be the name of a file.
    """
    needs = sum(tensor.numel() * tensor.element_size() for file in tensors.values() for tensor in file.values())
    writer = Writer(folder, step, needs=needs)
    writer.begin()
    return writer.publish(state, [writer.write(stem, file) for stem, file in tensors.items()])


def trial(folder: Path) -> None:
    """Save, read back and remove a small checkpoint, so that a place that cannot serve is found before hours are spent.

    Raises:
        Stopped: the place is full, not writable, or does not give back what was written.
    """
    room, x = folder / ".tmp-trial", torch.arange(2**16)
    what = f"a trial checkpoint in {folder}"
    remove(room)
    try:
        load(save(room, 0, {"trial": {"x": x}}, {}))
    except Stopped as error:
        cause = error.__cause__
        if not isinstance(cause, OSError):
            raise
        raise _stopped(cause, what, folder, x.nbytes) from cause
    except CheckpointError as error:
        raise Stopped(f"{what} did not read back: {error}") from error
    finally:
        remove(room)


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same values on the CPU, dense in memory, no two sharing any: what safetensors can write."""
    plain: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        # Conjugation and negation may be mere flags of a view, and safetensors writes the memory under them.
        value = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous()
        if value.untyped_storage().data_ptr() in seen:
            value = value.clone()
        seen.add(value.untyped_storage().data_ptr())
        plain[name] = value
    return plain


def _stopped(error: OSError, what: str, folder: Path, needs: int) -> Stopped:
    """The refusal to go on, with the checkpoint that stands and the command that continues from it."""
    standing, then = "There is no earlier checkpoint.", ", then start the run again."
    with suppress(CheckpointError):
        path, _ = newest(folder)
        if path is not None:
            standing = f"The previous checkpoint (step {check_files(path).step}) is whole."
            then = f", then: gen resume {shlex.quote(str(folder.parent))}"
    return stopped(error, what, near=folder, needs=needs, standing=standing, then=then)


# ---- loading -------------------------------------------------------------------------------------------------------


def verify(path: Path) -> None:
    """Check that a checkpoint is whole: exactly the files of its manifest, each regular, of its size and SHA-256.

    Raises:
        CheckpointError: it is not; the message names the file and its fault.
    """
    check_whole(path)


def load(path: Path, *, only: Collection[str] | None = None) -> Checkpoint:
    """Verify a whole checkpoint, then load it; of its tensors, only the files of the stems in `only` if that is given.

    Raises:
        CheckpointError: it is damaged, foreign, of a newer format, or lacks a stem; the message names the file.
    """
    manifest = check_whole(path)
    wanted = manifest.stems if only is None else sorted(set(only))
    for stem in wanted:
        if stem not in manifest.stems:
            held = ", ".join(manifest.stems) or "no tensors"
            raise CheckpointError(f"{path}: no {stem}{SUFFIX} in this checkpoint, which holds {held}")
    state = read_json(path / STATE)
    if not isinstance(state, dict):
        raise CheckpointError(f"{path / STATE}: not a JSON object")
    return Checkpoint(manifest.step, path, state, {stem: _load_tensors(path / (stem + SUFFIX)) for stem in wanted})


def newest(folder: Path) -> tuple[Path | None, list[str]]:
    """The newest whole checkpoint, or None, and a sentence for each newer one that is damaged and was passed over.

    Raises:
        CheckpointError: the folder exists but cannot be listed.
    """
    warnings: list[str] = []
    for step, path in sorted(_published(folder).items(), reverse=True):
        try:
            verify(path)
        except CheckpointError as error:
            warnings.append(f"The checkpoint of step {step} is passed over: {error}.")
        else:
            return path, warnings
    return None, warnings


def steps(folder: Path) -> list[int]:
    """The steps of the published checkpoints, ascending; whether they are whole is for `verify` to say.

    Raises:
        CheckpointError: the folder exists but cannot be listed.
    """
    return sorted(_published(folder))


def _load_tensors(path: Path) -> dict[str, Tensor]:
    read_header(path)
    try:
        # pread, not mmap: tensors backed by a mapped file would die with it (SIGBUS) if somebody cut the file short.
        tensors = safetensors.torch.load_file(path, backend="pread")
    except (safetensors.SafetensorError, OSError, ValueError, RuntimeError, KeyError, AttributeError) as error:
        raise CheckpointError(f"{path}: not a sound safetensors file: {error}") from error
    return dict(sorted(tensors.items()))


# ---- the folder of checkpoints -------------------------------------------------------------------------------------


def retire(folder: Path, *, keep: int, protect: Collection[int] = ()) -> None:
    """Remove the oldest checkpoints beyond the newest `keep`, never those of the steps in `protect`.

    Only to be called after a save has published. An old checkpoint that will not go costs space, not the run.

    Raises:
        CheckpointError: the folder cannot be listed.
    """
    assert keep >= 2, "keep < 2 would leave nothing to fall back on"
    published = _published(folder)
    for step in sorted(published)[:-keep]:
        if step not in protect:
            _discard(published[step])


def sweep(folder: Path) -> None:
    """Remove what killed processes left in a folder (`.tmp-…`, `.dead-…`); only under the lock of the run.

    A checkpoint that was set aside for a replacement that never came gets its name back.
    """
    names: list[str] = []
    with suppress(OSError):
        names = os.listdir(folder)
    for name in names:
        if name.startswith((".tmp-", ".dead-")):
            remove(folder / name)
        elif name.startswith(".old-") and PLACE.fullmatch(name):
            with suppress(OSError):  # every reader takes it where it is
                _restore(folder, name.removeprefix(".old-"))


def _discard(path: Path) -> None:
    """Delete a checkpoint as far as it goes: out of the count in one step, since deleting its files takes many."""
    dead = path.with_name(".dead-" + path.name.removeprefix(".old-"))
    remove(dead)
    with suppress(OSError):
        os.rename(path, dead)
        remove(dead)


def _restore(folder: Path, name: str) -> None:
    """Bring the set-aside checkpoint back if its replacement never came, remove it if it did."""
    aside = folder / f".old-{name}"
    if os.path.lexists(aside):
        if os.path.lexists(folder / name):
            _discard(aside)
        else:
            os.rename(aside, folder / name)


def _published(folder: Path) -> dict[int, Path]:
    try:
        names = sorted(os.listdir(folder))  # ".old-step-…" comes before "step-…": a replacement hides what it replaced
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise CheckpointError(f"{folder}: cannot be listed: {error.strerror}") from error
    places = [match for match in map(PLACE.fullmatch, names) if match and match["mark"] in (None, ".old-")]
    return {int(match["step"]): folder / match[0] for match in places}


def _name(step: int) -> str:
    assert step >= 0, f"a checkpoint of step {step}"
    return f"step-{step:08d}"
