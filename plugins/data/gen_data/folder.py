"""The image files of a folder and its sub-folders, by name; nothing is opened."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path, PurePosixPath

import attrs

from gen.errors import DataError
from gen_data.files import contents, listed, shown

__all__ = ["ENDINGS", "ImageFile", "classes", "list_images"]

ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
_DEPTH = 32


@attrs.frozen
class ImageFile:
    """A file by its name relative to the folder (parts joined by "/"), and its size in bytes."""

    name: str
    size: int

    @property
    def top(self) -> str | None:
        """The sub-folder right under the folder that the file lies in, if any."""
        parts = PurePosixPath(self.name).parts
        return parts[0] if len(parts) > 1 else None


def list_images(folder: Path) -> list[ImageFile]:
    """Every image file below the folder, sorted by name; hidden files and other endings are passed over.

    Raises:
        DataError: no folder, no image in it, a link that leads out of it, or folders nested too deep.
    """
    if not folder.is_dir():
        parent = folder.parent
        raise DataError(f"{shown(folder)} is no folder; {shown(parent)}: {contents(parent)}")
    home, found, others = os.path.realpath(folder), list[ImageFile](), Counter[str]()
    pending = [("", 0)]
    while pending:
        prefix, depth = pending.pop()
        for entry in _entries(folder / prefix):
            name = f"{prefix}{entry.name}"
            if entry.is_symlink():
                _check_link(folder / name, home)
            if entry.is_dir(follow_symlinks=False):
                if depth == _DEPTH:
                    raise DataError(f"{shown(folder)} holds folders nested more than {_DEPTH} deep: flatten it")
                pending.append((f"{name}/", depth + 1))
            elif (ending := os.path.splitext(entry.name)[1].lower()) not in ENDINGS:
                others[shown(ending) or "no ending"] += 1
            else:
                found.append(ImageFile(name, _size(entry, folder / name)))
    if not found:
        raise DataError(f"{shown(folder)} holds no image: {', '.join(ENDINGS)} are read; {_found(others)}")
    return sorted(found, key=lambda file: file.name)


def classes(files: list[ImageFile]) -> list[str] | None:
    """The sub-folders as class names, sorted; None unless every file lies in one of at least two."""
    tops = {file.top for file in files}
    return sorted(top for top in tops if top is not None) if None not in tops and len(tops) > 1 else None


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(f"{shown(folder)} cannot be listed ({error.strerror})") from error


def _check_link(path: Path, home: str) -> None:
    """A link may name another file of the folder; anything else would read what the user did not offer."""
    target = os.path.realpath(path)
    if not Path(target).is_relative_to(home):
        raise DataError(f"{shown(path)} is a link that leads out of the folder: put the file there, or remove it")
    if os.path.isdir(target):
        raise DataError(f"{shown(path)} is a link to a folder: put the files themselves there, or remove it")


def _size(entry: os.DirEntry[str], path: Path) -> int:
    try:
        if not entry.is_file():
            raise DataError(f"{shown(path)} is no ordinary file: remove it")
        return entry.stat().st_size
    except OSError as error:
        raise DataError(f"{shown(path)} cannot be examined ({error.strerror})") from error


def _found(others: Counter[str]) -> str:
    if not others:
        return "it is empty"
    return "found " + listed(
        f"{ending} ({count})" for ending, count in sorted(others.items(), key=lambda kind: (-kind[1], kind[0]))
    )
