"""The Gaussian likelihood (Kingma and Welling 2013, arXiv:1312.6114, appendix C.2) with a fixed or learned variance.

A learned variance makes a sigma-VAE (Rybkin, Daniilidis and Levine 2021, arXiv:2006.13202): the balance of distortion
and rate is then no option but an estimate.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen.component import component, option
from gen.interfaces import Likelihood
from gen.types import Shape
from gen_vae.noise import normal_like

__all__ = ["Gaussian"]

FLOOR = 2 * math.log(1 / 512)
"""Log-variances stay above this, a quarter of an 8-bit level (2/256) squared: a density of copies has no bound."""


@component
class Gaussian(Likelihood):
    """p(x|z) = N(f(z), variance), a density with its whole constant; the decoder puts out the mean f(z).

    A smaller variance asks for sharper reconstructions and leaves less weight to the rate; the best one is the mean
    squared error of the reconstructions, and `learned` finds it. `per-pixel`: the decoder puts out a mean and a
    log-variance for each dimension, stacked along the first. Learned standard deviations stay above 1/512.
    """

    c: float = option(1.0, above=0, max=1e6, doc="variance c of a dimension, in the data's scale squared; or its start")
    variance: str = option(
        "fixed", choices=("fixed", "learned", "per-pixel"), doc="c itself, one learned number, or the decoder's"
    )

    def build(self) -> None:
        self.log_var = nn.Parameter(torch.tensor(math.log(self.c))) if self.variance == "learned" else None

    def param_shape(self, x_shape: Shape) -> Shape:
        return (2 * x_shape[0], *x_shape[1:]) if self.variance == "per-pixel" else x_shape

    def log_prob(self, params: Tensor, x: Tensor) -> Tensor:
        """-|x - f|^2 / (2 c) - d/2 log(2 pi c)."""
        if self.variance == "fixed":
            squares = (x - params).square().flatten(1)  # [B, d]
            return -squares.sum(1) / (2 * self.c) - 0.5 * squares.shape[1] * math.log(2 * math.pi * self.c)
        mean, log_var = self._moments(params)
        nats = (x - mean).square() * (-log_var).exp() + log_var + math.log(2 * math.pi)
        return -0.5 * nats.flatten(1).sum(1)  # [B]

    def mean(self, params: Tensor) -> Tensor:
        return params.chunk(2, dim=1)[0] if self.variance == "per-pixel" else params

    def sample(self, params: Tensor, rng: torch.Generator | None = None) -> Tensor:
        mean, log_var = self._moments(params)
        return mean + (0.5 * log_var).exp() * normal_like(mean, rng)

    def _moments(self, params: Tensor) -> tuple[Tensor, Tensor]:
        """The mean [B, *shape] and the log-variance, which broadcasts to it."""
        if self.log_var is not None:
            return params, _above(self.log_var)
        if self.variance == "per-pixel":
            mean, log_var = params.chunk(2, dim=1)
            return mean, _above(log_var + math.log(self.c))
        return params, params.new_tensor(math.log(self.c))


def _above(log_var: Tensor) -> Tensor:
    """Softly bounded below: the identity far above FLOOR."""
    return FLOOR + F.softplus(log_var - FLOOR)
