"""What a diffusion's or a flow's noise schedule promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from gen.component import interface

__all__ = ["NoiseSchedule"]


@interface
class NoiseSchedule(ABC):
    """t in [0, 1] → alpha and sigma of x_noisy = alpha x + sigma noise; t = 0 is data, t = 1 the most noise.

    All methods take times [B] of any float dtype and give [B]. The log-SNR falls strictly. `t_min` is the smallest
    time a network is asked about: below it sigma is 0, or too small to matter.
    """

    kind: ClassVar[str] = "noise-schedule"
    t_min: ClassVar[float] = 1e-4

    @abstractmethod
    def alpha(self, t: Tensor) -> Tensor: ...

    @abstractmethod
    def sigma(self, t: Tensor) -> Tensor: ...

    @abstractmethod
    def d_alpha(self, t: Tensor) -> Tensor:
        """The derivative of alpha in t."""

    @abstractmethod
    def d_sigma(self, t: Tensor) -> Tensor:
        """The derivative of sigma in t."""

    def log_snr(self, t: Tensor) -> Tensor:
        """log(alpha^2 / sigma^2) in nats."""
        return 2 * (self.alpha(t).log() - self.sigma(t).log())

    def time_of(self, log_snr: Tensor) -> Tensor:
        """The inverse of `log_snr`, clipped to [t_min, 1]; by bisection unless a schedule knows better."""
        low = torch.full_like(log_snr, self.t_min, dtype=torch.float64)
        high = torch.ones_like(low)
        for _ in range(60):  # halves until float64 has nothing left to halve
            middle = (low + high) / 2
            noisier = self.log_snr(middle) < log_snr
            low, high = torch.where(noisier, low, middle), torch.where(noisier, middle, high)
        return ((low + high) / 2).to(log_snr.dtype)
