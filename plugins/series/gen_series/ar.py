"""The linear autoregression of order K, AR(K) (Yule 1927; Box and Jenkins 1970), solved in closed form or trained.

    x_t = b + sum_k a_k x_{t-k} + noise_t,   noise_t ~ N(0, c)

The h-step forecast has the variance c sum_{j<h} psi_j^2, psi the impulse responses. Everything is computed in float64,
because series far from 0 (CO2 in ppm) lose their digits in float32. Shapes: B batch, T length, K order, S steps ahead.
"""

from __future__ import annotations

import math
import statistics
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gen.component import component, option
from gen.errors import ShapeError
from gen.interfaces import Model, Phase
from gen.types import Batch, Losses, Progress
from gen_series.integers import Choose, masses, terms, uniform
from gen_series.law import coefficients_of, innovations, partials_of, radius, responses, stages
from gen_series.order import ESTIMATORS, fit

__all__ = ["AR"]

_CLOSEST = 0.999999


@component
class AR(Model):
    """Linear autoregression of order K, solved by a recipe without train.steps, trained by gradients with it.

    log_prob is exact: with the estimator `exact` of the whole stretch, the first K values by their stationary law; with
    the others of all but the first K values given these, which needs no stationarity. Gradients climb that log_prob, so
    they end where `ols` or `exact` does. Of an order chosen by a criterion the other coefficients are 0.
    """

    phase_names = ("model",)
    log_prob_kind = "exact"
    traits: ClassVar[dict[str, Any]] = {"sizes": ((1, 24), (1, 40)), "unbounded": True}
    order: int | None = option(2, min=1, max=1000, doc="K; null: chosen by the criterion, up to max_order")
    max_order: int = option(12, min=1, max=1000, doc="the largest order that is tried where order is null")
    criterion: str = option("bic", choices=("aic", "bic"), doc="what the chosen order makes least")
    estimator: str = option("ols", choices=ESTIMATORS, doc="least squares, Yule-Walker, Burg, exact likelihood")
    intercept: bool = option(True, doc="estimate a constant; without it the mean is 0")

    def build(self) -> None:
        shape = self.data.shape
        if len(self.data.domains) != 1 or len(shape) != 2 or shape[0] != 1:
            raise ShapeError(f"series/ar takes one series of one channel, (1, T), got {shape}")
        self.size = self.order or self.max_order
        self.latent = shape[1]
        if self.size + 2 >= shape[1]:
            name = "order" if self.order else "max_order"
            raise ShapeError(f"{name} {self.size} is too large for stretches of {shape[1]} values: lower it")
        zeros = {"dtype": torch.float64}
        self.weights = nn.Parameter(torch.zeros(self.size, **zeros))  # a, or what partial autocorrelations are tanh of
        self.log_variance = nn.Parameter(torch.zeros((), **zeros))
        if self.intercept:
            self.offset = nn.Parameter(torch.zeros((), **zeros))  # b, or the mean where the estimator is exact
        else:
            self.register_buffer("offset", torch.zeros((), **zeros))
        self.chosen: Tensor
        self.first: Tensor
        self.register_buffer("chosen", torch.tensor(self.size))
        self.register_buffer("first", torch.zeros(self.size, **zeros))  # the first values of the training data

    @property
    def exact(self) -> bool:
        """Whether the first K values belong to log_prob, so that the process has to be stationary."""
        return self.estimator == "exact"

    @property
    def coefficients(self) -> Tensor:
        """a [K]; those beyond the chosen order are 0."""
        return coefficients_of(self.weights.tanh()) if self.exact else self.weights

    @property
    def constant(self) -> Tensor:
        """The intercept b []."""
        return self.offset * (1 - self.coefficients.sum()) if self.exact else self.offset

    @property
    def variance(self) -> Tensor:
        """The variance c [] of the noise."""
        return self.log_variance.exp()

    @property
    def radius(self) -> float:
        """The largest size of the roots: below 1 the process is stationary."""
        return radius(self.coefficients)

    def phases(self) -> Sequence[Phase]:
        return [Phase("model", train=[self], loss=self.loss)]

    def loss(self, batch: Batch, progress: Progress) -> Losses:
        """The mean of -log_prob over the batch [], nats per stretch; per value among the terms."""
        total = -self.log_prob(batch.x).mean()
        counted = self.latent if self.exact else self.latent - self.size
        return Losses(total, {"nats_per_value": total / counted, "noise": self.variance.sqrt().to(total.dtype)})

    def solve(self, batches: Iterable[Batch]) -> None:
        """Fits all stretches together; a long series is best held in one (`window: null`).

        Raises:
            DataError: the series is constant or too short, or least squares has no single answer.
        """
        x = torch.cat([batch.x.detach().cpu().double() for batch in batches]).flatten(1)  # [N, T]
        found = fit(x, self.estimator, self.size, self.intercept, None if self.order else self.criterion)
        a = torch.cat([found.a, found.a.new_zeros(self.size - len(found.a))])
        with torch.no_grad():
            if self.exact:
                self.weights.copy_(torch.atanh(partials_of(a).clamp(-_CLOSEST, _CLOSEST)))
                self.offset.copy_(torch.tensor(found.b / (1 - float(a.sum()))))
            else:
                self.weights.copy_(a)
                self.offset.copy_(torch.tensor(found.b))
            self.log_variance.copy_(torch.tensor(math.log(found.c)))
            self.chosen.copy_(torch.tensor(len(found.a)))
            self.first.copy_(x[0, : self.size])
        if self.radius >= 1:
            warnings.warn(
                f"this autoregression is not stationary: a root has the size {self.radius:.4f}, and below 1 is needed. "
                "Forecasts drift and their intervals grow without end. Remedies: difference the data (data.difference),"
                " or estimator: burg, which is stationary always",
                stacklevel=2,
            )

    def log_prob(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """log p [B] in nats of stretches [B, 1, T]: of the whole (`exact`), or given the first K values."""
        errors, ratios = self._errors(x)
        logs = errors.square() / (self.variance * ratios) + ratios.log() + self.log_variance + math.log(2 * math.pi)
        return (-0.5 * logs.sum(1)).to(x.dtype)

    def residuals(self, x: Tensor) -> Tensor:
        """Errors of the one-step forecasts inside stretches, in their standard deviations; [B, T], or [B, T - K]."""
        errors, ratios = self._errors(x)
        return (errors / (self.variance * ratios).sqrt()).to(x.dtype)

    def _errors(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """One-step errors and their variances in units of c, of the values that log_prob counts."""
        series = x.double().flatten(1)  # [B, T]
        if self.exact:
            return innovations(series - self.offset, self.weights.tanh())
        errors = series[:, self.size :] - self.constant - self._lagged(series)
        return errors, errors.new_ones(errors.shape[1])

    def _lagged(self, series: Tensor) -> Tensor:
        before = series[:, :-1].unfold(1, self.size, 1)  # [B, T - K, K], the oldest first
        return before @ self.coefficients.flip(0)

    def forecast(self, x: Tensor, steps: int) -> Tensor:
        """The mean of the next values [B, 1, S], given stretches [B, 1, T] with T >= K."""
        backward = self.coefficients.flip(0)
        values = list(self._context(x).unbind(1))
        for _ in range(steps):
            values.append(self.constant + torch.stack(values[-self.size :], 1) @ backward)
        return torch.stack(values[-steps:], 1)[:, None].to(x.dtype)

    def intervals(self, x: Tensor, steps: int, level: float = 0.95) -> tuple[Tensor, Tensor]:
        """Bounds [B, 1, S] between which each next value lies with probability `level`, were the model true."""
        mean = self.forecast(x, steps)
        spread = (self.variance * responses(self.coefficients, steps).square().cumsum(0)).sqrt()  # [S]
        reach = (statistics.NormalDist().inv_cdf(0.5 + level / 2) * spread).to(x.dtype)
        return mean - reach, mean + reach

    def _context(self, x: Tensor) -> Tensor:
        if x.shape[-1] < self.size:
            raise ShapeError(f"a forecast of order {self.size} needs as many values, got {x.shape[-1]}")
        return x.double().flatten(1)[:, -self.size :]

    def generate(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """Standard normal noise z [B, T] → the series [B, 1, T] that it drives.

        A stationary process has been running for ever when it starts. Any other starts from the first K values of the
        training data.
        """
        noise = z.double() * self.variance.sqrt()
        values = self._start(noise)
        backward = self.coefficients.flip(0)
        for t in range(len(values), noise.shape[1]):
            values.append(self.constant + torch.stack(values[-self.size :], 1) @ backward + noise[:, t])
        return torch.stack(values, 1)[:, None].to(z.dtype)

    @torch.no_grad()
    def code(self, n: int, choose: Choose, cond: Tensor | None = None, *, low: int, high: int, length: int) -> Tensor:
        """n series [n, 1, length] of whole numbers low … high, float64, picked by `choose` from their chances [n, K].

        A value's chances are the masses of the units around the whole numbers under its one-step forecast. The first K
        values have those of their stationary law with the estimator `exact`; with the others, which give them no
        law, all numbers are as likely.
        """
        values: list[Tensor] = []
        for _ in range(length):
            forecast = self._one_ahead(values, n)
            chances = masses(*forecast, low, high) if forecast is not None else uniform(n, low, high)
            values.append(choose(chances).double() + low)
        return torch.stack(values, 1)[:, None]

    def symbols(self, x: Tensor, *, low: int, high: int, length: int) -> Tensor:
        """The places [n, T] int64 of whole numbers x [n, 1, T] in the range from `low`, in the order of time."""
        return x.flatten(1).long() - low

    def code_terms(self, x: Tensor) -> dict[str, int]:
        """The range of the whole numbers x [n, 1, T], and their length.

        Raises:
            DataError: x holds other numbers, or spans more than 65,536.
        """
        return terms(x)

    def _one_ahead(self, values: list[Tensor], n: int) -> tuple[Tensor, Tensor] | None:
        """Mean [n] and deviation [] of the next of n series, given all values before; None where it has no law."""
        t, spread = len(values), self.variance.sqrt()
        if t >= self.size:
            recent = torch.stack(values[-self.size :], 1)  # [n, K], the oldest first
            return self.constant + recent @ self.coefficients.flip(0), spread
        if not self.exact:
            return None
        partials = self.weights.tanh()
        y = torch.stack(values, 1) - self.offset if values else partials.new_zeros(n, 0)  # [n, t]
        mean = self.offset + (y * stages(partials)[t].flip(0)).sum(1)
        return mean, spread / (1 - partials[t:].square()).prod().sqrt()

    def _start(self, noise: Tensor) -> list[Tensor]:
        """The first K values, K tensors [B]."""
        if self.radius >= 1:
            return list(self.first.expand(len(noise), -1).unbind(1))
        a = self.coefficients
        partials, mean = partials_of(a), self.constant / (1 - a.sum())
        predictors, tail = stages(partials), (1 - partials.square()).flip(0).cumprod(0).flip(0)
        y = noise[:, :0]
        for t in range(min(self.size, noise.shape[1])):
            value = (y * predictors[t].flip(0)).sum(1) + noise[:, t] / tail[t].sqrt()
            y = torch.cat([y, value[:, None]], 1)
        return list((y + mean).unbind(1))
