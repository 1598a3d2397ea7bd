"""A column of a CSV file as a data set."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import ClassVar

from gen.component import component, option
from gen.errors import DataError
from gen.interfaces import Dataset, Rows
from gen_series.clock import FREQUENCIES
from gen_series.scales import Scale
from gen_series.table import read_column
from gen_series.windows import open_windows

__all__ = ["Csv"]


@component
class Csv(Dataset):
    """A series from a column of a CSV file, split by time: one row (1, T) of all training values, or windows.

    Rows stand in the order of time, which is checked where `time` names its columns. A val or test window ends in its
    split and reaches back before it. Forecasts come back to the original scale in `series/forecast-error`.
    """

    example: ClassVar[dict[str, object]] = {"file": "example.csv", "column": "value", "time": ["time"]}
    file: str = option(path="file", doc="the file, under the data root; its first line names the columns")
    column: str = option("value", doc="name of the column of values")
    time: tuple[str, ...] = option(
        (), doc="name of the column of times, or of those of year and month; none: unchecked"
    )
    frequency: str | None = option(None, choices=tuple(FREQUENCIES), doc="of the rows; null: as their times have it")
    window: int | None = option(None, min=2, max=10_000_000, doc="values T of a sample; null: all training values")
    stride: int = option(1, min=1, max=10_000_000, doc="values from one window to the next")
    ahead: int = option(1, min=1, max=10_000_000, doc="values at the end of a val or test window in that split")
    val: float = option(0.1, min=0, doc="values before the test for validation: below 1 a share, from 1 on a count")
    test: float = option(0.1, min=0, doc="values at the end for the test: below 1 a share, from 1 on a count")
    log: bool = option(False, doc="take logarithms first")
    difference: tuple[int, ...] = option((), min=1, max=10_000, doc="lags of the differences, taken in this order")
    standardize: bool = option(False, doc="subtract the mean and divide by the deviation of the training values")

    @classmethod
    def example_data(cls, root: Path) -> None:
        """Writes the file that `example` names: 120 months."""
        values = [math.sin(t / 3) + t * t % 7 / 5 + 0.001 * t for t in range(120)]
        rows = [f"{2000 + t / 12:.6f},{value:.4f}" for t, value in enumerate(values)]
        (root / "example.csv").write_text("\n".join(["time,value", *rows]) + "\n", encoding="utf-8")

    def open(self, split: str, root: Path) -> Rows:
        path = root / self.file
        if Path(self.file).is_absolute() or not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
            raise DataError(f'file is "{self.file}": name a file under the data root, or give another with --data-root')
        values = read_column(path, self.column, self.time, self.frequency)
        try:
            return open_windows(
                values,
                split,
                Scale(self.log, self.difference),
                window=self.window,
                stride=self.stride,
                ahead=self.ahead,
                val=self.val,
                test=self.test,
                standardize=self.standardize,
            )
        except DataError as error:
            raise DataError(f"{path}: {error}") from error
