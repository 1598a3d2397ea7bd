"""Stationary autoregressive processes of order K, AR(K): exact likelihood, autocovariances and forecasts.

    x_t - m = sum_k a_k (x_{t-k} - m) + noise_t,   noise_t ~ N(0, c),   k = 1 … K

Every finite stretch is Gaussian with a Toeplitz covariance (Yule 1927; Walker 1931; Brockwell and Davis 1991, chapter
3), so likelihoods, forecasts and estimators of series can be held against the truth.
Shapes: B batch, T length of a series, K order, S steps ahead.
"""

from __future__ import annotations

import math

import attrs
import torch
from torch import Tensor

from gen_sdk.oracles.linear_gaussian import gaussian_log_prob

__all__ = ["Autoregression"]


@attrs.frozen(eq=False)
class Autoregression:
    """`coefficients` a [K] in float64 (a_1 acts on the value before), `c` the variance of the noise, `mean` m.

    Raises:
        ValueError: the process is not stationary, or c is not positive.
    """

    coefficients: Tensor
    c: float
    mean: float = 0.0

    def __attrs_post_init__(self) -> None:
        if self.c <= 0:
            raise ValueError(f"c is the variance of the noise: above 0, got {self.c}")
        radius = torch.linalg.eigvals(self._companion()).abs().max().item()
        if radius >= 1:
            raise ValueError(f"not stationary: a root of the process has size {radius:.4g}, which must be below 1")

    @classmethod
    def example(cls, order: int, rng: torch.Generator) -> Autoregression:
        """A random stationary process of this order, float64.

        Any partial autocorrelations in (-1, 1) give one (Barndorff-Nielsen and Schou 1973); here they are in ±0.7.
        """
        partial = 1.4 * torch.rand(order, generator=rng, dtype=torch.float64) - 0.7  # [K]
        a = partial[:1]
        for value in partial[1:]:
            a = torch.cat([a - value * a.flip(0), value[None]])
        return cls(a, c=0.5, mean=0.3)

    @property
    def order(self) -> int:
        return len(self.coefficients)

    def autocovariance(self, lags: int) -> Tensor:
        """cov(x_t, x_{t+h}) for h = 0 … lags, [lags + 1]: the Yule-Walker equations, then their recursion."""
        order = self.order
        equations = torch.eye(order + 1, dtype=self.coefficients.dtype)  # gamma_h - sum_k a_k gamma_|h-k| = c [h = 0]
        for h in range(order + 1):
            for k in range(1, order + 1):
                equations[h, abs(h - k)] -= self.coefficients[k - 1]
        noise = torch.zeros(order + 1, dtype=self.coefficients.dtype)
        noise[0] = self.c
        gamma: list[Tensor] = list(torch.linalg.solve(equations, noise))
        for h in range(order + 1, lags + 1):
            gamma.append(self.coefficients @ torch.stack(gamma[h - order : h]).flip(0))
        return torch.stack(gamma[: lags + 1])

    def covariance(self, length: int) -> Tensor:
        """The Toeplitz covariance [T, T] of a stretch of `length` values."""
        at = torch.arange(length)
        return self.autocovariance(length - 1)[(at[:, None] - at).abs()]

    def sample(self, n: int, length: int, rng: torch.Generator) -> Tensor:
        """n stretches [n, T] of the process, which has been running for ever when they start."""
        order = self.order
        factor: Tensor = torch.linalg.cholesky(self.covariance(order))  # [K, K]
        noise = torch.randn(n, max(length, order), generator=rng, dtype=factor.dtype)
        x = list((noise[:, :order] @ factor.T).unbind(1))
        for t in range(order, length):
            x.append(torch.stack(x[t - order :], 1) @ self.coefficients.flip(0) + math.sqrt(self.c) * noise[:, t])
        return self.mean + torch.stack(x[:length], 1)

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) [B] in nats of stretches [B, T]: the first K values jointly, every other one given the K before."""
        offsets, order = x - self.mean, min(self.order, x.shape[1])
        start = gaussian_log_prob(offsets[:, :order], self.covariance(order))
        errors = offsets[:, order:] - self._predictions(offsets)
        return start - 0.5 * (errors.square() / self.c + math.log(2 * math.pi * self.c)).sum(1)

    def forecast(self, x: Tensor, steps: int) -> tuple[Tensor, Tensor]:
        """The mean [B, S] and the variance [S] of the next `steps` values, given stretches [B, T] with T >= K.

        The variance is c times the sum of the squared impulse responses up to there.

        Raises:
            ValueError: fewer than K values are given.
        """
        if x.shape[1] < self.order:
            raise ValueError(f"a forecast of order {self.order} needs as many values, got {x.shape[1]}")
        values, backward = list((x - self.mean).unbind(1)), self.coefficients.flip(0)
        for _ in range(steps):
            values.append(torch.stack(values[-self.order :], 1) @ backward)
        return self.mean + torch.stack(values[x.shape[1] :], 1), self.c * self.responses(steps).square().cumsum(0)

    def responses(self, steps: int) -> Tensor:
        """What a unit of noise adds to its own value and to the ones after it, [S]: the coefficients of the MA form."""
        values = [*self.coefficients.new_zeros(self.order - 1), self.coefficients.new_ones(())]
        for _ in range(steps - 1):
            values.append(torch.stack(values[-self.order :]) @ self.coefficients.flip(0))
        return torch.stack(values[self.order - 1 :])

    def _predictions(self, offsets: Tensor) -> Tensor:
        """E[x_t | x_<t] - m for t >= K, [B, T - K]."""
        if offsets.shape[1] <= self.order:
            return offsets[:, :0]
        before = offsets[:, :-1].unfold(1, self.order, 1)  # [B, T - K, K], the oldest first
        return before @ self.coefficients.flip(0)

    def _companion(self) -> Tensor:
        """The matrix [K, K] that takes K values to the next K, without noise."""
        shift = torch.eye(self.order, dtype=self.coefficients.dtype).roll(1, 0)
        shift[0] = self.coefficients
        return shift
