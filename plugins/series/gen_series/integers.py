"""Whole numbers under a Gaussian forecast: the mass of the unit around each, which an entropy coder can use.

    P(v) = F((v + 1/2 - m) / s) - F((v - 1/2 - m) / s),   v = low … high

F the normal distribution function; what lies beyond the range belongs to its ends, so that chances sum to 1.
Shapes: n series, K whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from gen.errors import DataError

__all__ = ["MOST", "Choose", "masses", "terms", "uniform"]

Choose: TypeAlias = Callable[[Tensor], Tensor]
"""Chances [n, K] of the next value of each series → the symbols [n] that they take, from 0."""

MOST = 65_536
"""The widest range, in whole numbers: a coder's chances are multiples of 2^-24, and each number has at least one."""

_EXACT = 2**24  # float32, in which data sets keep their values, holds the whole numbers below exactly


def masses(mean: Tensor, spread: Tensor, low: int, high: int) -> Tensor:
    """The chances [n, K] of low … high under Gaussians of mean [n] and standard deviation `spread` [n] or []."""
    edges = torch.arange(low, high, dtype=torch.float64) + 0.5  # [K - 1]
    below = torch.special.ndtr((edges - mean[:, None]) / spread.reshape(-1, 1))  # [n, K - 1]
    ends = below.new_zeros(len(mean), 1)
    return torch.cat([ends, below, ends + 1], 1).diff(dim=1)


def uniform(n: int, low: int, high: int) -> Tensor:
    """Equal chances [n, K]."""
    return torch.full((n, high - low + 1), 1 / (high - low + 1), dtype=torch.float64)


def terms(x: Tensor) -> dict[str, int]:
    """The range and the length of series [n, 1, T] of whole numbers.

    Raises:
        DataError: there is another number among them, or the range is too wide.
    """
    odd = x[x != x.round()]
    if len(odd):
        raise DataError(f"there is {float(odd[0]):g} in the series: only whole numbers are coded, so scale or round it")
    low, high = int(x.min()), int(x.max())
    if max(-low, high) >= _EXACT:
        raise DataError(f"the series reaches {max(-low, high):,}: whole numbers are exact below {_EXACT:,} here")
    if high - low >= MOST:
        raise DataError(f"the series runs from {low:,} to {high:,}: a code takes {MOST:,} whole numbers at most")
    return {"low": low, "high": high, "length": x.shape[-1]}
