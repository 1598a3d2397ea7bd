"""Salt-and-pepper noise (Vincent et al. 2010, section 3.3)."""

from __future__ import annotations

import torch
from torch import Tensor

from gen.component import component, option
from gen.interfaces import Corruption
from gen_vae.noise import uniform_like

__all__ = ["SaltAndPepper"]


@component
class SaltAndPepper(Corruption):
    """Each dimension becomes, with a fixed chance, -1 or 1, either as likely: black or white."""

    chance: float = option(0.25, min=0, max=1, doc="chance of a dimension to be lost")

    def __call__(self, x: Tensor, rng: torch.Generator | None = None) -> Tensor:
        u = uniform_like(x, rng)
        return torch.where(u < 0.5 * self.chance, -1.0, torch.where(u < self.chance, 1.0, x))
