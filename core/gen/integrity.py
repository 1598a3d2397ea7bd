"""What makes a folder a whole checkpoint: its manifest, and the checks against it. Torch-free.

`manifest.json` holds the format, the step, and the bytes and SHA-256 of exactly the other files: `state.json` and one
`{stem}.safetensors` per stem. safetensors is sound as a parser but has no checksum: a flipped bit would load unnoticed.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, TypeGuard

import attrs

from gen.errors import CheckpointError
from gen.files import JSON, digest, dump_json, open_regular, parse_json, read_json, refuse_irregular, size_text

__all__ = [
    "FORMAT",
    "MANIFEST",
    "PLACE",
    "STATE",
    "STEM",
    "SUFFIX",
    "FileRecord",
    "Manifest",
    "check_files",
    "check_whole",
    "read_header",
]

FORMAT = 1
MANIFEST, STATE, SUFFIX = "manifest.json", "state.json", ".safetensors"

# Lower case only, so that no two names are one file on a case-insensitive disk.
STEM = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
PLACE = re.compile(r"(?P<mark>\.(?:tmp|old|dead)-)?step-(?P<step>[0-9]{8}|[1-9][0-9]{8,14})")
_SHA256 = re.compile(r"[0-9a-f]{64}")

# What a stranger's folder may cost before it is refused.
MAX_FILES = 10_000
MAX_TENSORS = 100_000
MAX_MANIFEST = 4 * 2**20
MAX_HEADER = 32 * 2**20


@attrs.frozen
class FileRecord:
    """What the manifest says of one file."""

    name: str
    size: int
    sha256: str


@attrs.frozen
class Manifest:
    """The step of a checkpoint and the record of each of its files, by name."""

    step: int
    files: dict[str, FileRecord]

    def dump(self) -> bytes:
        """The content of `manifest.json`."""
        files: dict[str, JSON] = {r.name: {"bytes": r.size, "sha256": r.sha256} for r in self.files.values()}
        return dump_json({"format": FORMAT, "step": self.step, "files": files}, indent=2).encode()

    @property
    def stems(self) -> list[str]:
        """The stems of the tensor files, sorted."""
        return sorted(name.removesuffix(SUFFIX) for name in self.files if name != STATE)


def check_whole(path: Path) -> Manifest:
    """Check that a checkpoint is whole: exactly the files of its manifest, each regular, of its size and SHA-256.

    Raises:
        CheckpointError: it is not; the message names the file and its fault.
    """
    manifest = check_files(path)
    for record in manifest.files.values():
        if digest(path / record.name) != record.sha256:
            raise CheckpointError(f"{path / record.name}: its content does not match its SHA-256 in {MANIFEST}")
    return manifest


def check_files(path: Path) -> Manifest:
    """Check everything about a checkpoint that needs no reading of the files themselves.

    Raises:
        CheckpointError: as `check_whole`.
    """
    names = _names(path)
    if MANIFEST not in names:
        raise CheckpointError(f"{path / MANIFEST}: missing, so this is no whole checkpoint")
    manifest = _read_manifest(path / MANIFEST)
    place = PLACE.fullmatch(path.name)
    if place and int(place["step"]) != manifest.step:
        raise CheckpointError(f"{path / MANIFEST}: says step {manifest.step}, which is not the step of its folder")
    expected = {MANIFEST, *manifest.files}
    for name in sorted(expected - names):
        raise CheckpointError(f"{path / name}: missing, though {MANIFEST} lists it")
    for name in sorted(names - expected):
        raise CheckpointError(f"{path}: holds {name!r}, which {MANIFEST} does not list")
    for record in manifest.files.values():
        size = refuse_irregular(path / record.name)
        if size != record.size:
            raise CheckpointError(f"{path / record.name}: {size} bytes long, where {MANIFEST} says {record.size}")
    return manifest


def read_header(path: Path) -> dict[str, Any]:
    """The header of a safetensors file, name → dtype, shape, place.

    It refuses what safetensors lets pass: a header that takes seconds to read, and duplicate names of tensors.

    Raises:
        CheckpointError: the header is too long, no strict JSON, or names too many tensors.
    """
    with open_regular(path) as file:
        length = int.from_bytes(file.read(8), "little")
        if length > MAX_HEADER:
            raise CheckpointError(f"{path}: not a sound safetensors file: a header of {size_text(length)}")
        header = file.read(length)
    content = parse_json(header, f"{path}: its header")
    if not isinstance(content, dict) or len(content) > MAX_TENSORS:
        raise CheckpointError(f"{path}: not a sound safetensors file of at most {MAX_TENSORS} tensors")
    return content


def _names(path: Path) -> set[str]:
    if path.is_symlink():
        raise CheckpointError(f"{path}: a link, where a checkpoint folder is expected")
    names: set[str] = set()
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                names.add(entry.name)
                if len(names) > MAX_FILES:
                    raise CheckpointError(f"{path}: holds more than {MAX_FILES} files")
    except OSError as error:
        raise CheckpointError(f"{path}: not a readable checkpoint folder: {error.strerror}") from error
    return names


def _read_manifest(path: Path) -> Manifest:
    content = read_json(path, limit=MAX_MANIFEST)
    number = content.get("format") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not _is_count(number):
        raise CheckpointError(f"{path}: not the manifest of a checkpoint")
    if number > FORMAT:
        raise CheckpointError(f"{path}: format {number}, where this gen-core reads {FORMAT}: newer, upgrade gen-core")
    step, files = content.get("step"), content.get("files")
    if (
        number != FORMAT
        or content.keys() != {"format", "step", "files"}
        or not _is_count(step)
        or not isinstance(files, dict)
    ):
        raise CheckpointError(f"{path}: needs exactly format ({FORMAT}), step (a whole number) and files (an object)")
    if STATE not in files:
        raise CheckpointError(f"{path}: does not list {STATE}")
    manifest = Manifest(step, {name: _record(path, name, entry) for name, entry in files.items()})
    if refuse_irregular(path) != len(manifest.dump()):  # nothing hashes the manifest itself: it has one spelling
        raise CheckpointError(f"{path}: not spelled as gen writes it, so it was changed")
    return manifest


def _record(path: Path, name: str, entry: JSON) -> FileRecord:
    stem = name.removesuffix(SUFFIX)
    if name != STATE and (stem == name or not STEM.fullmatch(stem)):
        raise CheckpointError(f"{path}: lists {name[:120]!r}, which no file of a checkpoint is called")
    if isinstance(entry, dict) and entry.keys() == {"bytes", "sha256"}:
        size, sha256 = entry["bytes"], entry["sha256"]
        if _is_count(size) and isinstance(sha256, str) and _SHA256.fullmatch(sha256):
            return FileRecord(name, size, sha256)
    raise CheckpointError(f"{path}: the entry of {name} needs exactly bytes (whole number) and sha256 (64 hex digits)")


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
