"""A forecaster: any autoregressor whose factors are Gaussian, p(x) = prod_t N(x_t; m_t(x_<t), s_t(x_<t)^2).

The network gives (m, r) for every value, s = exp(5 tanh(r / 5)), so that no factor degenerates. Meant for standardised
data. Shapes: B batch, T length, S steps ahead, P paths.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from gen.component import component, option, slot
from gen.errors import ShapeError
from gen.interfaces import Autoregressor, Model, Phase
from gen.precision import no_autocast, widen
from gen.types import Batch, DataSpec, Losses, Progress, Shapes

__all__ = ["Forecaster"]

_REACH = 5.0


@component
class Forecaster(Model):
    """Autoregressive density of a series (1, T) with Gaussian factors; trained by its exact likelihood.

    It remembers the last T - 1 values. One step ahead a forecast is the mean; further ahead it is what follows when
    every value is its own forecast, and intervals come from simulated paths.
    """

    phase_names = ("model",)
    log_prob_kind = "exact"
    traits: ClassVar[dict[str, Any]] = {"sizes": ((1, 12), (1, 20)), "unbounded": True}
    network: Autoregressor = slot(doc="the values before each value to its mean and log-deviation")
    paths: int = option(400, min=20, max=100_000, doc="simulated paths P behind intervals")

    @classmethod
    def wire(cls, data: DataSpec, **_: Any) -> Mapping[str, Shapes]:
        shape = data.shape if len(data.domains) == 1 else ()
        if len(shape) != 2 or shape[0] != 1:
            raise ShapeError(f"series/forecaster takes one series of one channel, (1, T), got {shape}")
        return {"network": Shapes(shape, (2, shape[1]))}

    def build(self) -> None:
        self.latent = self.data.shape[1]

    def phases(self) -> Sequence[Phase]:
        return [Phase("model", train=[self.network], loss=self.loss)]

    def loss(self, batch: Batch, progress: Progress) -> Losses:
        """The mean of -log_prob over the batch [], nats per window; per value among the terms."""
        total = -self.log_prob(batch.x).mean()
        return Losses(total, {"nats_per_value": total / self.latent})

    def log_prob(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """log p(x) [B] in nats: the sum over all T values."""
        mean, log_spread = self._factors(x)
        with no_autocast(x.device):
            squares = ((widen(x)[:, 0] - mean) * (-log_spread).exp()).square()  # [B, T]
            return -(0.5 * squares + log_spread + 0.5 * math.log(2 * math.pi)).sum(1)

    def residuals(self, x: Tensor) -> Tensor:
        """Errors of the one-step forecasts inside windows, in their standard deviations, [B, T]."""
        mean, log_spread = self._factors(x)
        return (x[:, 0] - mean) * (-log_spread).exp()

    def forecast(self, x: Tensor, steps: int) -> Tensor:
        """The next values [B, 1, S], each from those before it: the mean one step ahead."""
        return self._continue(x, steps, None)

    def intervals(self, x: Tensor, steps: int, level: float = 0.95) -> tuple[Tensor, Tensor]:
        """Bounds [B, 1, S] between which the share `level` of P simulated values lies, at every step.

        The noise is the same for every series and call.
        """
        rng = torch.Generator().manual_seed(0)
        noise = torch.stack([torch.randn(self.paths, generator=rng, dtype=torch.float64) for _ in range(steps)], 1)
        found = []
        for series in x:
            many = series.expand(self.paths, -1, -1)
            found.append(self._continue(many, steps, noise.to(x))[:, 0].double())  # [P, S]
        outer = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64, device=x.device)
        low, high = torch.stack([paths.quantile(outer, 0) for paths in found], 1).to(x.dtype)  # [B, S] each
        return low[:, None], high[:, None]

    def generate(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """Standard normal noise z [B, T] → the series [B, 1, T] that it drives, value by value from the cache."""
        cache = self.network.start(len(z))
        values: list[Tensor] = []
        for t in range(self.latent):
            mean, log_spread = _split(widen(self.network.step(cache, t, values[-1] if values else None)))
            values.append(mean + log_spread.exp() * z[:, t])
        return torch.stack(values, 1)[:, None]

    def _factors(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-deviation of every value given those before it, each [B, T]."""
        return _split(widen(self.network(x)))

    def _continue(self, x: Tensor, steps: int, noise: Tensor | None) -> Tensor:
        """Values [B, 1, S] after stretches [B, 1, T], driven by noise [B, S], or by none."""
        known = x[:, 0]
        for step in range(steps):
            memory = known[:, max(0, known.shape[1] - self.latent + 1) :]
            at = memory.shape[1]
            window = torch.nn.functional.pad(memory, (0, self.latent - at))[:, None]  # what follows is not looked at
            mean, log_spread = self._factors(window)
            value = mean[:, at] if noise is None else mean[:, at] + log_spread[:, at].exp() * noise[:, step]
            known = torch.cat([known, value[:, None].to(known.dtype)], 1)
        return known[:, None, known.shape[1] - steps :]


def _split(raw: Tensor) -> tuple[Tensor, Tensor]:
    """The network's two numbers of a factor, along dimension 1, as mean and log-deviation."""
    mean, r = raw.unbind(1)
    return mean, _REACH * torch.tanh(r / _REACH)
