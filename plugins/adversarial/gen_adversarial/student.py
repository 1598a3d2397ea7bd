"""Student's t, standardised: draws and log density, for any device and where tensors hold no values."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["log_density", "student_like"]


def log_density(u: Tensor, freedom: int) -> Tensor:
    """log t(u) of every number, in nats."""
    half = freedom / 2
    constant = math.lgamma(half + 0.5) - math.lgamma(half) - 0.5 * math.log(math.pi * freedom)
    return constant - (half + 0.5) * torch.log1p(u.square() / freedom)


def student_like(x: Tensor, freedom: int) -> Tensor:
    """Draws of t in the shape and type of x: a normal number over the root of the mean of `freedom` squared ones."""
    squares = torch.randn(freedom, *x.shape, device=x.device, dtype=x.dtype).square().mean(0)
    return torch.randn_like(x) / squares.sqrt()
