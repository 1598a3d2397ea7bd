"""Sums over many pixels want float32: half precision is widened, float32 and float64 stay as they are."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["widen"]


def widen(x: Tensor) -> Tensor:
    """[B, *shape] in float32 at least."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
