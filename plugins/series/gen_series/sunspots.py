"""The yearly numbers of sunspots that statsmodels brings along, 1700 to 2008."""

from __future__ import annotations

from pathlib import Path

import torch

from gen.component import component, option
from gen.errors import DataError
from gen.interfaces import Dataset, Rows
from gen_series.scales import Scale
from gen_series.windows import open_windows

__all__ = ["Sunspots"]


@component
class Sunspots(Dataset):
    """Yearly numbers of sunspots, 1700 to 2008, bundled with statsmodels (`pip install gen-series[sunspots]`).

    Split by time; all training values are one row (1, T), or windows are cut.
    """

    window: int | None = option(None, min=2, max=309, doc="values T of a sample; null: all training values")
    stride: int = option(1, min=1, max=309, doc="values from one window to the next")
    ahead: int = option(1, min=1, max=309, doc="values at the end of a val or test window in that split")
    val: float = option(30.0, min=0, doc="values before the test for validation: below 1 a share, from 1 on a count")
    test: float = option(30.0, min=0, doc="values at the end for the test: below 1 a share, from 1 on a count")
    standardize: bool = option(False, doc="subtract the mean and divide by the deviation of the training values")

    def open(self, split: str, root: Path) -> Rows:
        sizes = {"window": self.window, "stride": self.stride, "ahead": self.ahead, "val": self.val, "test": self.test}
        return open_windows(_values(), split, Scale(), standardize=self.standardize, **sizes)  # type: ignore[arg-type]


def _values() -> torch.Tensor:
    """The numbers [309], float64."""
    try:
        from statsmodels.datasets import sunspots
    except ImportError as error:
        raise DataError(
            "series/sunspots needs statsmodels, which brings the numbers along: pip install statsmodels"
        ) from error
    return torch.tensor(sunspots.load_pandas().data["SUNACTIVITY"].to_numpy(dtype=float), dtype=torch.float64)
