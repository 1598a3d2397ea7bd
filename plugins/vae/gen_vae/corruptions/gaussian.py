"""Additive Gaussian noise (Vincent et al. 2010, section 3.3)."""

from __future__ import annotations

import torch
from torch import Tensor

from gen.component import component, option
from gen.interfaces import Corruption
from gen_vae.noise import normal_like

__all__ = ["GaussianNoise"]


@component
class GaussianNoise(Corruption):
    """x + sigma noise, noise ~ N(0, I); what leaves the range of the data stays outside."""

    sigma: float = option(0.5, above=0, max=1e6, doc="standard deviation of the noise, in the data's scale")

    def __call__(self, x: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return x + self.sigma * normal_like(x, rng)
