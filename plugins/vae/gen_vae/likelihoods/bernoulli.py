"""The Bernoulli likelihood of black and white pixels (Kingma and Welling 2013, arXiv:1312.6114, appendix C.1)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gen.component import component
from gen.interfaces import Likelihood
from gen.types import Shape
from gen_vae.noise import uniform_like

__all__ = ["Bernoulli"]


@component
class Bernoulli(Likelihood):
    """p(x|z) of black (-1) and white (1) pixels; the decoder puts out logits.

    Grey values count as the probability of white: the figure is then the mean log-probability of the images that a
    coin toss per pixel makes of the grey one, not a density of grey values.
    """

    def param_shape(self, x_shape: Shape) -> Shape:
        return x_shape

    def log_prob(self, params: Tensor, x: Tensor) -> Tensor:
        """sum of w log p + (1 - w) log(1 - p), where w = (x + 1)/2 and p = sigmoid(params)."""
        white = torch.add(0.5, x, alpha=0.5)  # one pass: this loss is a tenth of a small network's step
        return -F.binary_cross_entropy_with_logits(params, white, reduction="none").flatten(1).sum(1)  # [B]

    def mean(self, params: Tensor) -> Tensor:
        return 2 * params.sigmoid() - 1

    def sample(self, params: Tensor, rng: torch.Generator | None = None) -> Tensor:
        white = uniform_like(params, rng) < params.sigmoid()
        return 2 * white.to(params.dtype) - 1
