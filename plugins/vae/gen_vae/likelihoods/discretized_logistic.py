"""The discretized logistic likelihood (Kingma et al. 2016, arXiv:1606.04934, equation 15; Salimans et al. 2017)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gen.component import component, option
from gen.interfaces import Likelihood
from gen.types import Shape
from gen_vae.likelihoods.levels import index_of, value_of
from gen_vae.noise import uniform_like

__all__ = ["DiscretizedLogistic"]

START, LEAST = -1.0, -12.0
"""The log-scale where the decoder puts out 0 (a fifth of the range), and the least there can be."""


@component
class DiscretizedLogistic(Likelihood):
    """p(x|z) of quantized data: each level has the mass that a logistic density puts on its bin.

    The decoder puts out a location and a log-scale for each dimension, stacked along the first. The outermost bins
    reach to infinity, so the masses of the levels sum to one and the figure is a log-probability of the quantized
    data: divided by log 2 and the dimensions it is minus the bits/dim.
    """

    levels: int = option(256, min=2, max=65_536, doc="values that data take, equally spaced from -1 to 1")

    def param_shape(self, x_shape: Shape) -> Shape:
        return (2 * x_shape[0], *x_shape[1:])

    def log_prob(self, params: Tensor, x: Tensor) -> Tensor:
        """log(F((x + h - m)/s) - F((x - h - m)/s)), F the logistic function, h half the width of a bin."""
        index = index_of(x, self.levels)
        return self._log_mass(params, index).flatten(1).sum(1)  # [B]

    def mean(self, params: Tensor) -> Tensor:
        """The mean of the density before it is cut into levels, its tails beyond -1 and 1 drawn in: 1 - integral of F.

        Right to a fraction of a level; of a sharp density it is the location.
        """
        location, log_scale = params.chunk(2, dim=1)
        scale = (log_scale + START).clamp(min=LEAST).exp()
        return 1 - scale * (F.softplus((1 - location) / scale) - F.softplus((-1 - location) / scale))

    def sample(self, params: Tensor, rng: torch.Generator | None = None) -> Tensor:
        location, log_scale = params.chunk(2, dim=1)
        u = uniform_like(location, rng).clamp(1e-6, 1 - 1e-6)
        x = location + (log_scale + START).exp() * (u.log() - (-u).log1p())
        return value_of(index_of(x, self.levels), self.levels, x.dtype)

    def _log_mass(self, params: Tensor, index: Tensor) -> Tensor:
        """log p of a level, elementwise. log(sigmoid(a) - sigmoid(b)) = a + log(1 - e^(b - a)) - sp(a) - sp(b)."""
        location, log_scale = params.chunk(2, dim=1)
        log_scale = (log_scale + START).clamp(min=LEAST)
        half = 1 / (self.levels - 1)
        offset = value_of(index, self.levels, location.dtype) - location
        upper = (offset + half) * (-log_scale).exp()
        lower = (offset - half) * (-log_scale).exp()
        inner = upper + torch.log(-torch.expm1(lower - upper)) - F.softplus(upper) - F.softplus(lower)
        first = F.logsigmoid(upper)  # the mass below -1 belongs to the lowest level
        last = F.logsigmoid(-lower)  # and that above 1 to the highest
        return torch.where(index == 0, first, torch.where(index == self.levels - 1, last, inner))
