"""A learned mixture of Gaussians as the prior (as in Tomczak and Welling 2018, arXiv:1705.07120, section 4)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gen.component import component, option
from gen.interfaces import Prior
from gen_vae.noise import normal_like
from gen_vae.priors.choice import choose

__all__ = ["Mixture"]


@component
class Mixture(Prior):
    """p(z) = sum_k w_k N(m_k, diag s_k^2), trained with the model: the rate to it is estimated from the draw of z.

    Means start as standard normal draws and the scales at one.
    """

    components: int = option(10, min=1, max=10_000, doc="Gaussians in the mixture, K")

    def build(self) -> None:
        self.means = nn.Parameter(torch.randn(self.components, *self.shape))
        self.log_vars = nn.Parameter(torch.zeros(self.components, *self.shape))
        self.logits = nn.Parameter(torch.zeros(self.components))

    def sample(self, n: int, rng: torch.Generator | None = None) -> Tensor:
        k = choose(self.logits.softmax(0), n, rng)  # [n]
        mean, log_var = self.means[k], self.log_vars[k]
        return mean + (0.5 * log_var).exp() * normal_like(mean, rng)

    def log_prob(self, z: Tensor) -> Tensor:
        squares = (z.unsqueeze(1) - self.means).square() * (-self.log_vars).exp()  # [B, K, *shape]
        nats = -0.5 * (squares + self.log_vars + math.log(2 * math.pi)).flatten(2).sum(2)  # [B, K]
        return (nats + self.logits.log_softmax(0)).logsumexp(1)
