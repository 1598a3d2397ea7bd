"""A likelihood: gives a decoder's output its meaning, p(x given z).

    p(x|z) = prod_i Laplace(x_i; f_i(z), s),   log p = -sum_i |x_i - f_i| / s - d log 2 s

Its best reconstruction is the median, which keeps edges that a mean would blur. Shapes: B batch, d dimensions of x.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gen.component import component, option
from gen.interfaces import Likelihood
from gen.types import Shape

__all__ = ["LaplaceLikelihood"]


@component
class LaplaceLikelihood(Likelihood):
    """p(x|z) = Laplace(f(z), s) in every dimension; the decoder puts out f(z)."""

    scale: float = option(0.2, above=0, max=1e6, doc="mean absolute deviation of a dimension, s, in the data's scale")

    def param_shape(self, x_shape: Shape) -> Shape:
        """One number for each dimension of x: a decoder is wired to put out so many."""
        return x_shape

    def log_prob(self, params: Tensor, x: Tensor) -> Tensor:
        errors = (x - params).abs().flatten(1)  # [B, d]
        return -errors.sum(1) / self.scale - errors.shape[1] * math.log(2 * self.scale)  # [B]

    def mean(self, params: Tensor) -> Tensor:
        return params

    def sample(self, params: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """x = f - s sign(u) log(1 - 2 |u|), u uniform in [-1/2, 1/2)."""
        device = params.device if rng is None else rng.device
        u = torch.rand(params.shape, generator=rng, dtype=params.dtype, device=device).to(params.device) - 0.5
        tiny = torch.finfo(u.dtype).tiny  # u = -1/2 would be infinitely far out
        return params - self.scale * u.sign() * (1 - 2 * u.abs()).clamp(min=tiny).log()
