"""Files that are whole or absent, and JSON read from strangers.

Writing goes through a file beside the target: write, fsync, rename, fsync the folder. Reading opens regular files only,
follows no link and takes bounded time and memory. Torch-free.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import TypeAlias

from gen.errors import CheckpointError, Stopped

__all__ = [
    "JSON",
    "digest",
    "dump_json",
    "open_regular",
    "parse_json",
    "read_json",
    "refuse_irregular",
    "remove",
    "size_text",
    "stopped",
    "sync_folder",
    "write_new",
    "write_whole",
]

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

MAX_BYTES = 64 * 2**20
MAX_DEPTH = 64
MAX_DIGITS = 100  # generator states are integers of up to 39 digits; int() of millions of digits takes minutes

# errno → (what stands behind "no space left", how to mend it)
_NO_SPACE = {
    errno.ENOSPC: ("", "Free some space"),
    errno.EDQUOT: (" (your disk quota is used up)", "Free some space"),
    errno.EFBIG: (" (the limit on the size of a file is reached)", "Raise the limit (ulimit -f)"),
}
_KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


# ---- writing -------------------------------------------------------------------------------------------------------


def write_new(path: Path, data: bytes) -> None:
    """Write a file that must not exist yet, and fsync it; the name is durable once its folder is synced too.

    Raises:
        OSError: the file exists, or the place is full or not writable; part of the file may then be there.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        rest = memoryview(data)
        while rest:  # a write may be short, for instance at 2 GiB
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, data: bytes | str) -> None:
    """Replace a small file whole or not at all, whatever ends the process.

    A kill may leave a `.tmp-…` file beside it, which `gen.checkpoint.sweep` removes.

    Raises:
        Stopped: the place is full or not writable; the message says which, and the old file is untouched.
    """
    content = data.encode("utf-8") if isinstance(data, str) else data
    temp = path.with_name(f".tmp-{path.name}-{secrets.token_hex(4)}")
    try:
        write_new(temp, content)
        os.rename(temp, path)
        sync_folder(path.parent)
    except OSError as error:
        remove(temp)
        raise stopped(error, str(path), near=path.parent, needs=len(content)) from error


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable (fsync of the folder)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems cannot sync a folder
            raise
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Delete a file, link or folder as far as it goes; the rest is left for the next sweep."""
    with suppress(OSError):  # around rmtree too: its ignore_errors lets some through
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            os.unlink(path)


def stopped(error: OSError, what: str, *, near: Path, needs: int, standing: str = "", then: str = ".") -> Stopped:
    """Say why `what` could not be written, what stands, and how to go on: `{fault}. {standing} {advice}{then}`."""
    if error.errno in _NO_SPACE:
        detail, advice = _NO_SPACE[error.errno]
        fault = f"no space left{detail} for {what}: needs {size_text(needs)}, {_free_text(near)} free."
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        fault, advice = f"{what} may not be written: {_reason(error)}.", "Make the place writable"
    else:
        fault, advice = f"{what} could not be written: {_reason(error)}.", "Mend that"
    return Stopped(" ".join(part for part in (fault, standing, advice + then) if part))


def size_text(count: int) -> str:
    """A number of bytes for people, in decimal units: `12.3 MB`."""
    if count < 1000:
        return f"{count} B"
    size = float(count)
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.95:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:.1f} TB"


def _free_text(place: Path) -> str:
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        return size_text(shutil.disk_usage(place).free)
    except OSError:
        return "an unknown amount"


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


# ---- reading -------------------------------------------------------------------------------------------------------


def refuse_irregular(path: Path) -> int:
    """The size of a regular file.

    Raises:
        CheckpointError: it is absent, unreadable, a link, a folder, a FIFO or a device.
    """
    try:
        status = os.lstat(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise CheckpointError(f"{path}: cannot be read: {_why(error)}") from error
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        raise CheckpointError(f"{path}: {kind}, where only a regular file is accepted")
    return status.st_size


@contextmanager
def open_regular(path: Path) -> Iterator[BufferedReader]:
    """Open a regular file for reading, never through a link and never waiting for a FIFO.

    Raises:
        CheckpointError: it is no regular file, or it cannot be opened or read (also while the caller reads it).
    """
    refuse_irregular(path)  # before opening: opening a device may already do something
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise CheckpointError(f"{path}: changed while it was opened")
            yield file
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {_why(error)}") from error


def digest(path: Path) -> str:
    """The SHA-256 of a regular file, in hexadecimal.

    Raises:
        CheckpointError: it is no regular file or cannot be read.
    """
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path, *, limit: int = MAX_BYTES) -> JSON:
    """Read a JSON file strictly.

    Raises:
        CheckpointError: no regular file of at most `limit` bytes, or not strict JSON (see `parse_json`).
    """
    with open_regular(path) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise CheckpointError(f"{path}: larger than {size_text(limit)}, the most that is read")
    return parse_json(data, str(path))


def parse_json(data: bytes, source: str) -> JSON:
    """Parse JSON of unknown origin; `source` names it in messages.

    Raises:
        CheckpointError: bad UTF-8 or syntax, NaN or Infinity (also as 1e999), a duplicate key, an integer of more than
            100 digits, or nesting deeper than 64.
    """
    try:
        value: JSON = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_int=_bounded_int,
            parse_float=_finite_float,
            parse_constant=_no_constant,
        )
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{source}: not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise CheckpointError(f"{source}: nested deeper than {MAX_DEPTH} levels") from error
    except ValueError as error:  # includes JSONDecodeError
        raise CheckpointError(f"{source}: not valid JSON: {error}") from error
    if _deeper_than(value, MAX_DEPTH):
        raise CheckpointError(f"{source}: nested deeper than {MAX_DEPTH} levels")
    return value


def dump_json(value: JSON, *, indent: int | None = None, in_order: bool = False) -> str:
    """JSON that `read_json` accepts: no NaN or Infinity, one line unless indented, a newline at the end.

    Keys are sorted, or `in_order` as they stand.

    Raises:
        ValueError, TypeError: the value holds a non-finite number, or something JSON cannot express.
    """
    return json.dumps(value, allow_nan=False, sort_keys=not in_order, indent=indent) + "\n"


def _unique(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    found: dict[str, JSON] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"duplicate key {key[:80]!r}")
        found[key] = value
    return found


def _bounded_int(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"an integer of {len(text)} digits")
    return int(text)


def _finite_float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"a number beyond the range of a float: {text[:80]}")
    return number


def _no_constant(text: str) -> JSON:
    raise ValueError(f"{text} is not allowed")


def _deeper_than(value: JSON, limit: int) -> bool:
    level = _containers([value])
    for _ in range(limit):
        level = [child for parent in level for child in _containers(_children(parent))]
        if not level:
            return False
    return bool(level)


def _children(container: JSON) -> list[JSON]:
    if isinstance(container, dict):
        return list(container.values())
    return container if isinstance(container, list) else []


def _containers(values: list[JSON]) -> list[JSON]:
    return [value for value in values if isinstance(value, dict | list)]


def _why(error: OSError | ValueError) -> str:
    return _reason(error) if isinstance(error, OSError) else str(error)
