"""What to compress: pictures, a column of whole numbers, or samples of the run's own data; and what may be.

Shapes: n samples, C channels, H W sides.
"""

from __future__ import annotations

import csv
from decimal import Decimal, InvalidOperation
from pathlib import Path

import torch
from torch import Tensor

from gen.data import open_split
from gen.errors import CommandError, DataError
from gen.loading import Loaded
from gen.picture_files import read_pictures
from gen.pictures import to_bytes
from gen.rundir import RunFolder
from gen.types import Domain

__all__ = ["check_levels", "held_out", "pictures", "series"]

_CHUNK = 256
_CHANGES = ("log", "difference", "standardize")


def held_out(loaded: Loaded, split: str, count: int | None, root: str | None) -> tuple[Tensor, Tensor | None]:
    """The first samples [n, *shape] of a split of the run's data (all, without a count), and their labels [n].

    Raises:
        CommandError: the split holds fewer.
    """
    folder = Path(root or RunFolder.open(loaded.path.parent).read("run.json").get("data_root", "."))
    dataset = loaded.builder.make(loaded.config["data_section"], path="data")
    opened = open_split(dataset, split, folder)
    if count is not None and count > len(opened):
        raise CommandError(f"--count {count}: the {split} split holds {len(opened)} samples")
    batches, left = [], count or len(opened)
    for batch in opened.batches(_CHUNK, torch.device("cpu")):
        batches.append(batch)
        left -= len(batch.x)
        if left <= 0:
            break
    x = torch.cat([batch.x for batch in batches])[:count]
    conds = [batch.cond for batch in batches if batch.cond is not None]
    return x, torch.cat(conds)[:count] if conds else None


def pictures(path: Path, domain: Domain) -> Tensor:
    """A picture or a folder of them, by name, as samples [n, C, H, W].

    Raises:
        CommandError, DataError: there are none, or one has another size, colour or level than the model's.
    """
    return read_pictures(path, [domain.shape], domain)


def check_levels(x: Tensor, domain: Domain, what: str) -> None:
    """Refuses images [n, C, H, W] that would not come back: more levels than 8 bits hold, or values off the levels.

    Raises:
        DataError: naming what they are and what the model counts.
    """
    if domain.modality != "image" or domain.levels is None:
        return
    if domain.levels > 256 or domain.shape[0] not in (1, 3):
        raise DataError(
            f"pictures have 1 or 3 channels and up to 256 levels: this model's data have {domain.shape[0]} channels "
            f"and {domain.levels} levels"
        )
    (low, high), steps = domain.range, domain.levels - 1
    nearest = ((x - low) * (steps / (high - low))).round() * ((high - low) / steps) + low
    wrong = (to_bytes(x, domain) != to_bytes(nearest, domain)).flatten(1).any(1).nonzero()
    if len(wrong):
        number = int(wrong[0]) + 1
        raise DataError(
            f"{what}: image {number} has grey values between the {domain.levels} levels that this model counts: "
            "bring it to those levels first"
        )


def series(loaded: Loaded, path: Path) -> Tensor:
    """The column of a CSV file that the run's data name, as one series [1, 1, T] of whole numbers, float64.

    Raises:
        DataError: no such file or column, or a field is no whole number; the message names the line.
    """
    check_unchanged(loaded)
    name = str(loaded.config["data_section"].get("column", "value"))
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [(reader.line_num, row) for reader in (csv.reader(file, strict=True),) for row in reader if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is no CSV file that can be read: {error}") from error
    heads = [field.strip() for field in rows[0][1]] if rows else []
    if heads.count(name) != 1 or len(rows) < 2:
        raise DataError(f'{path}: it needs a line of names, one of them "{name}", and a row for each time')
    at = heads.index(name)
    return torch.tensor([[[_whole(row, at, line, path) for line, row in rows[1:]]]], dtype=torch.float64)


def check_unchanged(loaded: Loaded) -> None:
    """Refuses a run whose model sees changed values: what it codes is not what the file holds.

    Raises:
        CommandError: naming the changes.
    """
    changes = [name for name in _CHANGES if loaded.config["data_section"].get(name)]
    if changes:
        raise CommandError(
            f"the data of this run are changed before the model sees them ({', '.join(changes)}), so it cannot code "
            "what the file holds: train one without"
        )


def _whole(row: list[str], at: int, line: int, path: Path) -> int:
    text = row[at].strip() if at < len(row) else ""
    try:
        value = Decimal(text)
        if value == value.to_integral_value() and abs(value) < 2**53:
            return int(value)
    except InvalidOperation:
        pass
    raise DataError(f'{path}: line {line}: "{text[:40]}" is no whole number, and only those are coded')
