"""A posterior: gives an encoder's output its meaning, q(z given x).

    q(z|x) = prod_i Laplace(z_i; mu_i, s_i),   log q = -sum_i (|z_i - mu_i| / s_i + log 2 s_i)

Shapes: B batch, D latent size.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gen.component import component
from gen.interfaces import Posterior, Prior
from gen.types import Shape

__all__ = ["LaplacePosterior"]


@component
class LaplacePosterior(Posterior):
    """q(z|x) = Laplace(mu(x), s(x)) in every dimension; the encoder puts out mu and log s, stacked along the first."""

    def param_shape(self, z_shape: Shape) -> Shape:
        """Two numbers for each dimension of z: an encoder is wired to put out so many."""
        return (2 * z_shape[0], *z_shape[1:])

    def mean(self, params: Tensor) -> Tensor:
        return params.chunk(2, dim=1)[0]  # [B, D]

    def rsample(self, params: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """z = mu - s sign(u) log(1 - 2 |u|), u uniform in [-1/2, 1/2): gradients reach mu and s."""
        mu, log_s = params.chunk(2, dim=1)
        device = mu.device if rng is None else rng.device
        u = torch.rand(mu.shape, generator=rng, dtype=mu.dtype, device=device).to(mu.device) - 0.5
        tiny = torch.finfo(u.dtype).tiny  # u = -1/2 would be infinitely far out
        return mu - log_s.exp() * u.sign() * (1 - 2 * u.abs()).clamp(min=tiny).log()

    def log_prob(self, params: Tensor, z: Tensor) -> Tensor:
        mu, log_s = params.chunk(2, dim=1)
        nats = (z - mu).abs() * (-log_s).exp() + log_s + math.log(2)  # [B, D]
        return -nats.flatten(1).sum(1)  # [B]

    def kl(self, params: Tensor, prior: Prior, z: Tensor) -> Tensor:
        """The estimate from this draw, log q(z|x) - log p(z) [B]: right on average, for every prior."""
        return self.log_prob(params, z) - prior.log_prob(z)
