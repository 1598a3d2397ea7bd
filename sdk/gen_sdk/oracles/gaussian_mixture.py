"""A mixture of Gaussians: exact density, score, and the exact answer to every denoising question.

    p(x) = sum_k w_k N(x; m_k, S_k)

Noising keeps the family: x_noisy = alpha x + sigma noise follows the mixture of N(alpha m_k, alpha^2 S_k + sigma^2 I).
Shapes: B batch, N size of x, K components.
"""

from __future__ import annotations

import math

import attrs
import torch
from torch import Tensor

__all__ = ["GaussianMixture"]


@attrs.frozen(eq=False)
class GaussianMixture:
    """`weights` w [K] (they sum to one), `means` m [K, N], `covariances` S [K, N, N]."""

    weights: Tensor
    means: Tensor
    covariances: Tensor

    @classmethod
    def example(cls, size: int, components: int, rng: torch.Generator) -> GaussianMixture:
        """A random mixture in float64 whose components overlap in part."""
        weights = torch.rand(components, generator=rng, dtype=torch.float64) + 0.5
        means = 2 * torch.randn(components, size, generator=rng, dtype=torch.float64)
        roots = 0.5 * torch.randn(components, size, size, generator=rng, dtype=torch.float64)
        return cls(weights / weights.sum(), means, roots @ roots.mT + 0.1 * torch.eye(size, dtype=torch.float64))

    def noised(self, alpha: float, sigma: float) -> GaussianMixture:
        """The mixture that alpha x + sigma noise follows."""
        eye = torch.eye(self.means.shape[1], dtype=self.means.dtype)
        return GaussianMixture(self.weights, alpha * self.means, alpha**2 * self.covariances + sigma**2 * eye)

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """n draws [n, N]."""
        component = torch.multinomial(self.weights, n, replacement=True, generator=rng)  # [n]
        noise = torch.randn(n, self.means.shape[1], 1, generator=rng, dtype=self.means.dtype)
        factors: Tensor = torch.linalg.cholesky(self.covariances)  # [K, N, N]
        return self.means[component] + (factors[component] @ noise).squeeze(2)

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) [B] in nats."""
        return self._log_joint(x).logsumexp(1)

    def responsibilities(self, x: Tensor) -> Tensor:
        """p(k|x) [B, K]."""
        return self._log_joint(x).softmax(1)

    def score(self, x: Tensor) -> Tensor:
        """grad log p(x) = sum_k p(k|x) S_k^-1 (m_k - x), [B, N]."""
        pulls = torch.linalg.solve(self.covariances, -self._offsets(x).permute(1, 2, 0))  # [K, N, B]
        return torch.einsum("bk,knb->bn", self.responsibilities(x), pulls)

    def denoise(self, x_noisy: Tensor, alpha: float, sigma: float) -> Tensor:
        """The optimal denoiser E[x | x_noisy], [B, N]: the mean over k of m_k + alpha S_k C_k^-1 (x_noisy - alpha m_k).

        C_k = alpha^2 S_k + sigma^2 I is the covariance of the k-th noised component.
        """
        noised = self.noised(alpha, sigma)
        pulls = torch.linalg.solve(noised.covariances, noised._offsets(x_noisy).permute(1, 2, 0))  # [K, N, B]
        means = self.means.unsqueeze(2) + alpha * self.covariances @ pulls  # [K, N, B]
        return torch.einsum("bk,knb->bn", noised.responsibilities(x_noisy), means)

    def _offsets(self, x: Tensor) -> Tensor:
        """x - m_k, [B, K, N]."""
        return x.unsqueeze(1) - self.means

    def _log_joint(self, x: Tensor) -> Tensor:
        """log w_k N(x; m_k, S_k), [B, K]."""
        factors: Tensor = torch.linalg.cholesky(self.covariances)  # [K, N, N]
        offsets = self._offsets(x).permute(1, 2, 0)  # [K, N, B]
        white: Tensor = torch.linalg.solve_triangular(factors, offsets, upper=False)
        log_det = 2 * factors.diagonal(dim1=1, dim2=2).log().sum(1)  # [K]
        constant = log_det + self.means.shape[1] * math.log(2 * math.pi)
        return self.weights.log() - 0.5 * (white.square().sum(1) + constant.unsqueeze(1)).T
