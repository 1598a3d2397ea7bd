"""The linear-Gaussian latent variable model (probabilistic PCA; Tipping and Bishop 1999, section 3).

    z ~ N(0, I),   x = W z + b + noise,   noise ~ N(0, c I)

Its evidence and posterior are in closed form, so every bound of a latent variable model can be held against the truth.
Shapes: B batch, N size of x, D size of z.
"""

from __future__ import annotations

import math

import attrs
import torch
from torch import Tensor

__all__ = ["LinearGaussian"]


@attrs.frozen(eq=False)
class LinearGaussian:
    """p(z) = N(0, I), p(x|z) = N(W z + b, c I); `weight` W [N, D], `bias` b [N], `c` the variance of the noise."""

    weight: Tensor
    bias: Tensor
    c: float

    @classmethod
    def example(cls, size: int, latent: int, c: float, rng: torch.Generator) -> LinearGaussian:
        """A random model in float64. W has orthogonal columns, so the posterior's covariance is diagonal."""
        assert latent <= size, "orthogonal columns need latent <= size"
        columns, _ = torch.linalg.qr(torch.randn(size, latent, generator=rng, dtype=torch.float64))  # [N, D]
        scales = 0.5 + torch.rand(latent, generator=rng, dtype=torch.float64)
        return cls(columns * scales, torch.randn(size, generator=rng, dtype=torch.float64), c)

    def sample(self, n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """n draws of x [n, N] with their z [n, D]."""
        size, latent = self.weight.shape
        z = torch.randn(n, latent, generator=rng, dtype=self.weight.dtype)
        noise = torch.randn(n, size, generator=rng, dtype=self.weight.dtype)
        return z @ self.weight.T + self.bias + math.sqrt(self.c) * noise, z

    def log_prob(self, x: Tensor) -> Tensor:
        """The evidence log p(x) = log N(x; b, W W^T + c I), [B] in nats."""
        size = self.weight.shape[0]
        covariance = self.weight @ self.weight.T + self.c * torch.eye(size, dtype=self.weight.dtype)
        return gaussian_log_prob(x - self.bias, covariance)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The mean [B, D] and the covariance [D, D] of p(z|x): c M^-1 with M = W^T W + c I, mean M^-1 W^T (x - b)."""
        latent = self.weight.shape[1]
        m = self.weight.T @ self.weight + self.c * torch.eye(latent, dtype=self.weight.dtype)  # [D, D]
        inverse: Tensor = torch.linalg.inv(m)
        return (x - self.bias) @ self.weight @ inverse, self.c * inverse


def gaussian_log_prob(x: Tensor, covariance: Tensor) -> Tensor:
    """log N(x; 0, covariance) [B], from x [B, N] and covariance [N, N]."""
    factor: Tensor = torch.linalg.cholesky(covariance)  # [N, N]
    white: Tensor = torch.linalg.solve_triangular(factor, x.T, upper=False)  # [N, B]
    log_det: Tensor = 2 * factor.diagonal().log().sum()
    return -0.5 * (white.square().sum(0) + log_det + x.shape[1] * math.log(2 * math.pi))
