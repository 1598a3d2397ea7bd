"""Quantized data in [-1, 1]: `levels` values, equally spaced, from -1 to 1."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["index_of", "value_of"]


def index_of(x: Tensor, levels: int) -> Tensor:
    """The number of the level nearest to x, int64 from 0 to levels - 1."""
    return ((x + 1) * (0.5 * (levels - 1))).round().clamp(0, levels - 1).long()


def value_of(index: Tensor, levels: int, dtype: torch.dtype) -> Tensor:
    """The inverse of `index_of`."""
    return index.to(dtype) * (2 / (levels - 1)) - 1
