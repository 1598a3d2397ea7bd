"""The categorical likelihood: a softmax over the levels of each pixel (as in van den Oord et al. 2016, PixelRNN)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gen.component import component, option
from gen.interfaces import Likelihood
from gen.types import Shape
from gen_vae.likelihoods.levels import index_of, value_of
from gen_vae.noise import uniform_like

__all__ = ["Categorical"]


@component
class Categorical(Likelihood):
    """p(x|z) of quantized data: any distribution over the levels of each dimension.

    The decoder puts out `levels` logits for each dimension, stacked along the first. It knows no order of the levels,
    so it can be bimodal, and has to learn from data that neighbours are alike.
    """

    levels: int = option(256, min=2, max=65_536, doc="values that data take, equally spaced from -1 to 1")

    def param_shape(self, x_shape: Shape) -> Shape:
        return (self.levels * x_shape[0], *x_shape[1:])

    def log_prob(self, params: Tensor, x: Tensor) -> Tensor:
        logits = self._logits(params)  # [B, V, *x_shape]
        return -F.cross_entropy(logits, index_of(x, self.levels), reduction="none").flatten(1).sum(1)  # [B]

    def mean(self, params: Tensor) -> Tensor:
        chances = self._logits(params).softmax(1)  # [B, V, *x_shape]
        values = value_of(torch.arange(self.levels, device=params.device), self.levels, params.dtype)
        return torch.tensordot(chances, values, dims=([1], [0]))

    def sample(self, params: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """The largest of logits + Gumbel noise is a draw of their softmax."""
        logits = self._logits(params)
        gumbel = -(-uniform_like(logits, rng).clamp(1e-12, 1 - 1e-7).log()).log()
        return value_of((logits + gumbel).argmax(1), self.levels, params.dtype)

    def _logits(self, params: Tensor) -> Tensor:
        return params.unflatten(1, (self.levels, -1))
