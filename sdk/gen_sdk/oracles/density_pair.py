"""Two densities p and q whose optimal discriminator and divergences are known: the truth for adversarial losses.

    D*(x) = p(x) / (p(x) + q(x)),  logits log p(x) - log q(x)  (Goodfellow et al. 2014, arXiv:1406.2661, proposition 1)

What the usual losses reach with the best discriminator, p the data and q the generator:

    logistic       E_p softplus(-D) + E_q softplus(D)     2 log 2 - 2 JS(p, q)
    least squares  E_p (D - 1)^2 + E_q D^2                1/2 - 1/4 triangular(p, q)
    hinge          E_p relu(1 - D) + E_q relu(1 + D)      2 - 2 TV(p, q)
    Wasserstein    sup over slopes <= 1 of E_p D - E_q D  W1(p, q)

Shapes: B batch, N size of x, G points of the grid.
"""

from __future__ import annotations

import math
from functools import cached_property

import attrs
import torch
from torch import Tensor

from gen_sdk.oracles.gaussian_mixture import GaussianMixture

__all__ = ["DensityPair"]

POINTS = 40_001
REACH = 12.0  # standard deviations beyond the outermost means: the mass out there is below 1e-30


@attrs.frozen(eq=False, slots=False)
class DensityPair:
    """Mixtures `p` (the data) and `q` (the generator) of the same size N.

    `logits` and `sample` work for any N; divergences (in nats where they are information) need N = 1: they are
    integrals over `grid`, right to about 1e-7.
    """

    p: GaussianMixture
    q: GaussianMixture

    @classmethod
    def gaussians(cls, mean_p: float, std_p: float, mean_q: float, std_q: float) -> DensityPair:
        """Two Gaussians on the line, float64."""
        return cls(_gaussian(mean_p, std_p), _gaussian(mean_q, std_q))

    @classmethod
    def example(cls, rng: torch.Generator, size: int = 1) -> DensityPair:
        """Two random mixtures of three components that overlap in part."""
        return cls(GaussianMixture.example(size, 3, rng), GaussianMixture.example(size, 3, rng))

    def sample(self, n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """n draws of p and n of q, [n, N] each."""
        return self.p.sample(n, rng), self.q.sample(n, rng)

    def logits(self, x: Tensor) -> Tensor:
        """The optimal discriminator's logits log p(x) - log q(x) [B] of points [B, N]."""
        return self.p.log_prob(x) - self.q.log_prob(x)

    def discriminator(self, x: Tensor) -> Tensor:
        """D*(x) = p / (p + q), [B]."""
        return self.logits(x).sigmoid()

    @cached_property
    def grid(self) -> Tensor:
        """Points [G, 1] that cover both densities.

        Raises:
            ValueError: the densities are not on the line.
        """
        if self.p.means.shape[1] != 1 or self.q.means.shape[1] != 1:
            raise ValueError(f"divergences are integrals over the line: they need N = 1, got {self.p.means.shape[1]}")
        means, widest = (
            torch.cat([self.p.means, self.q.means]),
            torch.cat([self.p.covariances, self.q.covariances]).max(),
        )
        low, high = means.min().item(), means.max().item()
        reach = REACH * widest.sqrt().item() + high - low
        return torch.linspace(low - reach, high + reach, POINTS, dtype=torch.float64).unsqueeze(1)

    def expectations(self, values_p: Tensor, values_q: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """E_p[values_p] and E_q[values_q] of functions given by values [G] on `grid`; one for both unless told."""
        values_q = values_p if values_q is None else values_q
        log_p, log_q = self._logs()
        return self._integral(log_p.exp() * values_p), self._integral(log_q.exp() * values_q)

    def kl(self) -> float:
        """KL(p, q) = E_p log p/q; that of (q, p) is `swapped().kl()`."""
        log_p, log_q = self._logs()
        return self._integral(log_p.exp() * (log_p - log_q)).item()

    def js(self) -> float:
        """Jensen-Shannon, half KL(p, m) plus half KL(q, m) with m the mean of both; at most log 2."""
        log_p, log_q = self._logs()
        log_m = torch.logaddexp(log_p, log_q) - math.log(2)
        return 0.5 * self._integral(log_p.exp() * (log_p - log_m) + log_q.exp() * (log_q - log_m)).item()

    def pearson(self) -> float:
        """Pearson's chi-squared, the integral of (p - q)^2 / q; infinite where the tails of p are too heavy for q's."""
        if self.p.covariances.max() >= 2 * self.q.covariances.max():
            return math.inf
        log_p, log_q = self._logs()
        return self._integral((2 * log_p - log_q).exp()).item() - 1

    def triangular(self) -> float:
        """The integral of (p - q)^2 / (p + q), in [0, 2]: what LSGAN calls Pearson's chi-squared of p + q and 2 q.

        Mao et al. 2017 (arXiv:1611.04076), section 3.2.2.
        """
        log_p, log_q = self._logs()
        p, q = log_p.exp(), log_q.exp()
        return self._integral((p - q) * ((log_p - log_q) / 2).tanh()).item()

    def hellinger(self) -> float:
        """Squared Hellinger distance, 1 - the integral of sqrt(p q); in [0, 1]."""
        log_p, log_q = self._logs()
        return 1 - self._integral(((log_p + log_q) / 2).exp()).item()

    def total_variation(self) -> float:
        """Half the integral of |p - q|; in [0, 1]."""
        log_p, log_q = self._logs()
        return 0.5 * self._integral((log_p.exp() - log_q.exp()).abs()).item()

    def wasserstein(self) -> float:
        """W1, the integral of |P - Q| over the distribution functions, in the unit of x (Vallender 1974)."""
        return self._integral((self._cumulative(self.p) - self._cumulative(self.q)).abs()).item()

    def swapped(self) -> DensityPair:
        """The pair (q, p)."""
        return DensityPair(self.q, self.p)

    def _logs(self) -> tuple[Tensor, Tensor]:
        return self.p.log_prob(self.grid), self.q.log_prob(self.grid)  # [G], [G]

    def _cumulative(self, mixture: GaussianMixture) -> Tensor:
        """P(X <= x) at the grid, [G]."""
        scaled = (self.grid - mixture.means.T) / mixture.covariances[:, 0, 0].sqrt()  # [G, K]
        below: Tensor = torch.special.ndtr(scaled)
        return below @ mixture.weights

    def _integral(self, values: Tensor) -> Tensor:
        return torch.trapezoid(values, self.grid.squeeze(1))


def _gaussian(mean: float, std: float) -> GaussianMixture:
    one = torch.ones(1, dtype=torch.float64)
    return GaussianMixture(one, mean * one[:, None], std**2 * one[:, None, None])
