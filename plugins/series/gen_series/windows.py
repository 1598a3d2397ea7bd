"""One series as samples: windows (1, T) that end in their split, which is a stretch of time.

The last `test` values are for the test, the `val` before them for validation, the others for training. A training
window lies in the training values. One of the other splits ends with `ahead` values of its own split, and reaches back
before it, as a forecaster's memory does. Shapes: N values, T length of a window.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gen.errors import DataError
from gen.rows import TensorRows
from gen.types import DataSpec, Domain
from gen_series.scales import Scale

__all__ = ["SeriesRows", "bounds", "open_windows"]

SPLITS = ("train", "val", "test")


class SeriesRows(TensorRows):
    """Windows [W, 1, T] of a series; `starts` [W] are their places among the values."""

    def __init__(self, spec: DataSpec, x: Tensor, starts: Tensor, original: Tensor, scale: Scale) -> None:
        super().__init__(spec, x)
        self.starts, self.original, self.scale = starts, original, scale

    def back(self, ahead: Tensor, number: int, known: int) -> Tensor:
        """Values [..., S] that follow the first `known` values of window `number` → the original scale, float64."""
        end = int(self.starts[number]) + known + self.scale.lost
        return self.scale.back(ahead, self.original[:end])


def bounds(n: int, val: float, test: float) -> tuple[int, int]:
    """Where validation and test begin, of n values; sizes are shares below 1 and counts from 1 on.

    Raises:
        DataError: nothing is left to train on.
    """
    sizes = [round(part * n) if part < 1 else int(part) for part in (val, test)]
    if n - sum(sizes) < 3:
        raise DataError(f"val {sizes[0]} and test {sizes[1]} leave {max(0, n - sum(sizes))} of {n} values for training")
    return n - sum(sizes), n - sizes[1]


def open_windows(
    original: Tensor,
    split: str,
    scale: Scale,
    *,
    window: int | None,
    stride: int,
    ahead: int,
    val: float,
    test: float,
    standardize: bool,
) -> SeriesRows:
    """The windows of a split of a series [N].

    Raises:
        DataError: no such split, or one that is too short for its windows.
    """
    if split not in SPLITS:
        raise DataError(f'there is no split "{split}": train, val and test')
    values = scale.forward(original)
    first, second = bounds(len(values), val, test)
    if standardize:
        spread = float(values[:first].std())
        if not spread > 0:
            raise DataError("the training values are constant once differenced: leave standardize or difference out")
        scale = Scale(scale.log, scale.lags, float(values[:first].mean()), spread)
        values = scale.forward(original)
    length = window or first
    if length > first:
        raise DataError(f"window is {length}, and there are {first} values to train on: lower it")
    begin, end = {"train": (length, first), "val": (first, second), "test": (second, len(values))}[split]
    ends = torch.arange(begin if split == "train" else begin + ahead, end + 1, stride)
    if not len(ends):
        raise DataError(f"the {split} split holds {end - begin} values, fewer than ahead, {ahead}: raise {split}")
    values = values.float()
    spec = DataSpec.single(Domain((1, length), "series", (float(values.min()), float(values.max()))))
    starts = ends - length
    return SeriesRows(spec, values.unfold(0, length, 1)[starts][:, None], starts, original, scale)
