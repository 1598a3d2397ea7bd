"""A noise schedule: times t in [0, 1] to alpha and sigma of x_noisy = alpha x + sigma noise.

    log SNR = l(t) = high + (low - high) t,   alpha² = sigmoid(l),   sigma² = sigmoid(-l)

The log-SNR falls along a straight line, and alpha² + sigma² = 1 (Kingma et al. 2021, arXiv:2107.00630). Shapes: B
batch.
"""

from __future__ import annotations

from torch import Tensor

from gen.component import component, option
from gen.interfaces import NoiseSchedule

__all__ = ["LogisticSchedule"]


@component
class LogisticSchedule(NoiseSchedule):
    """The log of the signal-to-noise ratio falls along a straight line; the variance is kept."""

    high: float = option(8.0, above=0, max=30, doc="log-SNR at t = 0, nats")
    low: float = option(-8.0, below=0, min=-30, doc="log-SNR at t = 1, nats")

    def alpha(self, t: Tensor) -> Tensor:
        return self.log_snr(t).sigmoid().sqrt()

    def sigma(self, t: Tensor) -> Tensor:
        return (-self.log_snr(t)).sigmoid().sqrt()

    def d_alpha(self, t: Tensor) -> Tensor:
        """alpha' = alpha sigma² l' / 2."""
        return self.alpha(t) * self.sigma(t).square() * (self.low - self.high) / 2

    def d_sigma(self, t: Tensor) -> Tensor:
        """sigma' = -sigma alpha² l' / 2."""
        return -self.sigma(t) * self.alpha(t).square() * (self.low - self.high) / 2

    def log_snr(self, t: Tensor) -> Tensor:
        return self.high + (self.low - self.high) * t

    def time_of(self, log_snr: Tensor) -> Tensor:
        """The inverse, in closed form."""
        return ((log_snr - self.high) / (self.low - self.high)).clamp(self.t_min, 1)
