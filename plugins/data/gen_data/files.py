"""Finding files under the data root, and saying what was found: names in data and recipes never lead out of it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from gen.errors import DataError

__all__ = ["contents", "inside", "listed", "shown"]

_LOOKED_AT = 1000


def inside(root: Path, name: str, option: str) -> Path:
    """The path `name` under the data root.

    Raises:
        DataError: it is absolute, climbs out, or is a link that leads out of the data root.
    """
    relative = Path(name)
    if relative.is_absolute() or ".." in relative.parts:
        raise DataError(
            f'{option} is "{shown(name)}": name a place under the data root {shown(root)}, '
            f"or give another root with --data-root"
        )
    path = root / relative
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise DataError(f"{shown(path)} is a link that leads out of the data root: give its target with --data-root")
    return path


def shown(name: str | Path) -> str:
    """A name as a message may print it: control characters and undecodable bytes escaped."""
    text = str(name)
    return text if text.isprintable() else repr(text)[1:-1]


def contents(folder: Path) -> str:
    """What lies in a folder, in words: `no such folder`, `empty`, `holds a.txt, b and 3 more`."""
    try:
        names = sorted(shown(entry.name) for entry in islice(os.scandir(folder), _LOOKED_AT))
    except FileNotFoundError:
        return "no such folder"
    except OSError as error:
        return f"cannot be listed ({error.strerror})"
    return f"holds {listed(names)}" if names else "empty"


def listed(names: Iterable[str], most: int = 8) -> str:
    """`a, b, c and 4 more`."""
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
