"""A column of a CSV file as a series, checked value by value; every refusal names the file and the line."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from gen.errors import DataError, did_you_mean
from gen_series.clock import check_clock

__all__ = ["check_values", "read_column"]

_LIMIT = 64 << 20  # bytes


def read_column(path: Path, column: str, time: Sequence[str], frequency: str | None) -> Tensor:
    """The values [N] of a column in float64, in the order of the rows, which is that of time.

    Raises:
        DataError: no such file or column, text or nothing where a number belongs, unsorted times, gaps.
    """
    if not path.is_file():
        raise DataError(f"{path} is no file: name it relative to the data root (--data-root DIR)")
    if path.stat().st_size > _LIMIT:
        raise DataError(f"{path} is larger than {_LIMIT >> 20} MB: one series is read at a time, cut it out")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [(reader.line_num, row) for reader in (csv.reader(file, strict=True),) for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is no CSV file in UTF-8: {error}") from error
    if len(rows) < 2:
        raise DataError(f"{path} holds no rows: a line of names, then a row for each time, are needed")
    names = [name.strip() for name in rows[0][1]]
    try:
        places = [_find(names, name) for name in (column, *time)]
        _check_widths(rows[1:], len(names))
        values = torch.tensor([_number(row[places[0]], column, line) for line, row in rows[1:]], dtype=torch.float64)
        if time:
            check_clock([[row[place].strip() for place in places[1:]] for _, row in rows[1:]], rows[1][0], frequency)
        check_values(values, column)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    return values


def check_values(values: Tensor, column: str) -> None:
    """Raises:
    DataError: the series is constant.
    """
    if len(values) and bool((values == values[0]).all()):
        raise DataError(f'"{column}" holds nothing but {float(values[0]):g}: a constant series has nothing to model')


def _find(names: list[str], wanted: str) -> int:
    if names.count(wanted) != 1:
        twice = "twice" if wanted in names else ""
        hint = twice or did_you_mean(wanted, names) or f"there are {', '.join(names[:12])}"
        raise DataError(f'there is no single column "{wanted}": {hint}')
    return names.index(wanted)


def _check_widths(rows: list[tuple[int, list[str]]], width: int) -> None:
    for line, row in rows:
        if len(row) != width:
            raise DataError(f"line {line} has {len(row)} fields, and the line of names {width}")


def _number(text: str, column: str, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        what = f'"{text.strip()[:40]}" is no number' if text.strip() else "there is no value"
        raise DataError(f'line {line}, column "{column}": {what}: a series has a number in every row') from None
    if not math.isfinite(value):
        raise DataError(f'line {line}, column "{column}": {text.strip()} is no finite number: fill it in or cut there')
    return value
