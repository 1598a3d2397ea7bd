"""The choice of a mixture's component, from an explicit generator or the global one."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["choose"]


def choose(weights: Tensor, n: int, rng: torch.Generator | None = None) -> Tensor:
    """n numbers [n] of components, from the weights [K]; drawn where the generator lives."""
    there = weights.detach() if rng is None else weights.detach().to(rng.device)
    return torch.multinomial(there, n, replacement=True, generator=rng).to(weights.device)
