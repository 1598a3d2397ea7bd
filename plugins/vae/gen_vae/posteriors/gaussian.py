"""The Gaussian posterior with a diagonal covariance (Kingma and Welling 2013, arXiv:1312.6114, appendix B)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gen.component import component
from gen.interfaces import Posterior, Prior
from gen.types import Shape
from gen_vae.noise import normal_like
from gen_vae.priors.normal import Normal

__all__ = ["GaussianPosterior"]

LOG_2PI = math.log(2 * math.pi)


@component
class GaussianPosterior(Posterior):
    """q(z|x) = N(mu(x), diag s(x)^2); the encoder puts out mu and log s^2, stacked along the first dimension.

    Its KL to the standard normal prior is in closed form, to any other prior a one-sample estimate.
    """

    def param_shape(self, z_shape: Shape) -> Shape:
        return (2 * z_shape[0], *z_shape[1:])

    def mean(self, params: Tensor) -> Tensor:
        return params.chunk(2, dim=1)[0]

    def rsample(self, params: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """z = mu + s * noise, noise ~ N(0, I) (section 2.4)."""
        mu, log_var = params.chunk(2, dim=1)  # each [B, *z_shape]
        return mu + (0.5 * log_var).exp() * normal_like(mu, rng)

    def log_prob(self, params: Tensor, z: Tensor) -> Tensor:
        mu, log_var = params.chunk(2, dim=1)
        squares = (z - mu).square() * (-log_var).exp()
        return -0.5 * (squares + log_var + LOG_2PI).flatten(1).sum(1)  # [B]

    def kl(self, params: Tensor, prior: Prior, z: Tensor) -> Tensor:
        """KL = 1/2 sum(mu^2 + s^2 - 1 - log s^2) for the standard normal prior (appendix B)."""
        if not isinstance(prior, Normal):
            return self.log_prob(params, z) - prior.log_prob(z)
        return self.kl_per_dimension(params).flatten(1).sum(1)  # [B]

    def kl_per_dimension(self, params: Tensor) -> Tensor:
        """KL to the standard normal prior, of each dimension: [B, *z_shape] nats."""
        mu, log_var = params.chunk(2, dim=1)
        return 0.5 * (mu.square() + log_var.exp() - log_var - 1)
