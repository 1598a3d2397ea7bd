"""The Gaussian likelihood with one fixed variance (Kingma and Welling 2013, arXiv:1312.6114, appendix C.2)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gen.component import component, option
from gen.interfaces import Likelihood
from gen.types import Shape
from gen_vae.noise import normal_like

__all__ = ["Gaussian"]


@component
class Gaussian(Likelihood):
    """p(x|z) = N(f(z), c I), a density with its whole constant; the decoder puts out the mean f(z).

    A smaller c asks for sharper reconstructions and leaves less weight to the rate; the best c is the mean squared
    error of the reconstructions.
    """

    c: float = option(1.0, above=0, max=1e6, doc="variance c of a dimension, in the data's scale squared")

    def param_shape(self, x_shape: Shape) -> Shape:
        return x_shape

    def log_prob(self, params: Tensor, x: Tensor) -> Tensor:
        """-|x - f|^2 / (2 c) - d/2 log(2 pi c)."""
        squares = (x - params).square().flatten(1)  # [B, d]
        return -squares.sum(1) / (2 * self.c) - 0.5 * squares.shape[1] * math.log(2 * math.pi * self.c)

    def mean(self, params: Tensor) -> Tensor:
        return params

    def sample(self, params: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return params + math.sqrt(self.c) * normal_like(params, rng)
