"""Times of a table, as places on an evenly spaced clock: unsorted rows, rows of one time and gaps are refused."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from itertools import pairwise

from gen.errors import DataError

__all__ = ["FREQUENCIES", "check_clock"]

FREQUENCIES = {"yearly": 1, "quarterly": 4, "monthly": 12, "weekly": 0, "daily": 0}
"""Periods of a year; of weeks and days, dates are counted."""


def check_clock(rows: Sequence[Sequence[str]], first_line: int, frequency: str | None) -> None:
    """Raises:
    DataError: a time that cannot be read, that does not come after the one before, or that is not the next one.
    """
    places = [_place(row, frequency, first_line + i) for i, row in enumerate(rows)]
    steps = [b - a for a, b in pairwise(places)]
    if frequency is None:
        usual = sorted(abs(step) for step in steps)[len(steps) // 2] if steps else 1.0
        steps = [step / usual for step in steps] if usual else steps
    for i, step in enumerate(steps):
        here, before = " ".join(rows[i + 1]), " ".join(rows[i])
        line = first_line + i + 1
        if step <= 1e-6:
            what = "stands twice" if abs(step) <= 1e-6 else f"stands after {before}"
            raise DataError(f"line {line}: the time {here} {what}: sort the rows by time, one row a time")
        if step > 1.5:
            raise DataError(
                f"line {line}: the time {here} follows {before}, {round(step) - 1} in between are missing: "
                "fill the gap, or cut the series there"
            )
        if step < 0.5 or (frequency is not None and abs(step - 1) > 0.2):
            raise DataError(f"line {line}: from {before} to {here} is not one step of a {frequency or 'steady'} clock")


def _place(row: Sequence[str], frequency: str | None, line: int) -> float:
    """A time (a number, a date, or a year and a month) as a number of periods."""
    text = " ".join(row).strip()
    try:
        if len(row) == 2:
            years = float(row[0]) + (float(row[1]) - 1) / 12
            if not 1 <= float(row[1]) <= 12:
                raise ValueError
            return years * (FREQUENCIES[frequency] or 365.25 if frequency else 1)
        if _is_number(text):
            years = float(text)
            if not math.isfinite(years):
                raise ValueError
            return years * ((FREQUENCIES[frequency] or 1) if frequency else 1)
        date = datetime.date.fromisoformat(text if text.count("-") == 2 else f"{text}-01")
    except ValueError:
        raise DataError(
            f'line {line}: "{text[:40]}" is no time: numbers, dates (1949-01-31, 1949-01), or a year and a month'
        ) from None
    if frequency in ("yearly", "quarterly", "monthly"):
        return (date.year * 12 + date.month - 1) * FREQUENCIES[frequency] / 12
    return date.toordinal() / (7 if frequency == "weekly" else 1)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
