"""Noise shaped like a tensor, from an explicit generator or the global one.

A generator draws on its own device, so that one on the CPU gives the same noise wherever the model lives.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["normal_like", "uniform_like"]


def normal_like(x: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """Standard normal draws with the shape, type and device of x."""
    if rng is None:
        return torch.randn_like(x)
    return torch.randn(x.shape, dtype=x.dtype, device=rng.device, generator=rng).to(x.device)


def uniform_like(x: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """Uniform draws in [0, 1) with the shape, type and device of x."""
    if rng is None:
        return torch.rand_like(x)
    return torch.rand(x.shape, dtype=x.dtype, device=rng.device, generator=rng).to(x.device)
