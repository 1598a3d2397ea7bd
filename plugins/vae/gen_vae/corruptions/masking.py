"""Masking noise (Vincent et al. 2008)."""

from __future__ import annotations

import torch
from torch import Tensor

from gen.component import component, option
from gen.interfaces import Corruption
from gen_vae.noise import uniform_like

__all__ = ["Masking"]


@component
class Masking(Corruption):
    """Each dimension is lost with a fixed chance: it becomes one value, whatever it was."""

    chance: float = option(0.25, min=0, max=1, doc="chance of a dimension to be lost")
    value: float = option(-1.0, min=-1e6, max=1e6, doc="what it becomes, in the range of the data; -1 is black")

    def __call__(self, x: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return torch.where(uniform_like(x, rng) < self.chance, self.value, x)
