"""Noise schedules: alpha and sigma as functions of t, with their derivatives; computed in float64, given as t came."""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from torch import Tensor

from gen.component import component, interface, option
from gen.errors import OptionError
from gen.interfaces import NoiseSchedule

__all__ = [
    "CosineNoise",
    "EdmNoise",
    "LinearNoise",
    "LinearPath",
    "SigmoidNoise",
    "TrigonometricPath",
    "VarianceExploding",
    "VariancePreserving",
]

SHARE = 0.9999
"""How much of its curve a schedule walks that would end without signal, so that its log-SNR stays finite."""


@interface
class _Preserving(NoiseSchedule):
    """alpha^2 + sigma^2 = 1, from log alpha and its derivative.

    `zero_terminal` shifts and scales alpha so that alpha(1) = 0 exactly and alpha(0) stays (Lin et al. 2023,
    arXiv:2305.08891); a model that predicts eps says nothing there.
    """

    zero_terminal: bool = option(
        False, doc="end at alpha = 0 exactly, no signal left; needs a model of x, v or velocity"
    )

    @abstractmethod
    def log_alpha(self, t: Tensor) -> Tensor:
        """log alpha of t, both float64."""

    @abstractmethod
    def d_log_alpha(self, t: Tensor) -> Tensor:
        """Its derivative."""

    def alpha(self, t: Tensor) -> Tensor:
        return self._alpha(t.double()).to(t.dtype)

    def sigma(self, t: Tensor) -> Tensor:
        return self._sigma(t.double()).to(t.dtype)

    def d_alpha(self, t: Tensor) -> Tensor:
        return self._d_alpha(t.double()).to(t.dtype)

    def d_sigma(self, t: Tensor) -> Tensor:
        time = t.double()
        return (-self._alpha(time) * self._d_alpha(time) / self._sigma(time)).to(t.dtype)

    def _alpha(self, t: Tensor) -> Tensor:
        alpha = self.log_alpha(t).exp()
        return alpha if not self.zero_terminal else (alpha - self._last(t)) / (1 - self._last(t))

    def _sigma(self, t: Tensor) -> Tensor:
        if self.zero_terminal:
            return (1 - self._alpha(t) ** 2).clamp(min=0).sqrt()
        return (-torch.expm1(2 * self.log_alpha(t))).clamp(min=0).sqrt()  # exact for small t, where alpha is almost 1

    def _d_alpha(self, t: Tensor) -> Tensor:
        slope = self.log_alpha(t).exp() * self.d_log_alpha(t)
        return slope if not self.zero_terminal else slope / (1 - self._last(t))

    def _last(self, t: Tensor) -> Tensor:
        return self.log_alpha(torch.ones((), dtype=torch.float64, device=t.device)).exp()


@component
class LinearNoise(_Preserving):
    """The chain of DDPM: `steps` kernels whose variance beta grows linearly (Ho et al. 2020, arXiv:2006.11239).

    At t = i / steps, alpha^2 is the product of the first i factors 1 - beta; between, log alpha is linear.
    """

    beta_min: float = option(1e-4, above=0, below=1, doc="variance of the first kernel")
    beta_max: float = option(0.02, above=0, below=1, doc="variance of the last kernel")
    steps: int = option(1000, min=2, max=100_000, doc="kernels of the chain, T")

    def __attrs_post_init__(self) -> None:
        betas = torch.linspace(self.beta_min, self.beta_max, self.steps, dtype=torch.float64, device="cpu")
        self._tables = {
            torch.device("cpu"): torch.cat([betas.new_zeros(1), torch.log1p(-betas).cumsum(0) / 2])
        }  # [T + 1]

    def log_alpha(self, t: Tensor) -> Tensor:
        table, place, node = self._at(t)
        return torch.lerp(table[node], table[node + 1], place - node)

    def d_log_alpha(self, t: Tensor) -> Tensor:
        table, _, node = self._at(t)
        return self.steps * (table[node + 1] - table[node])

    def _at(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if t.device not in self._tables:
            self._tables[t.device] = self._tables[torch.device("cpu")].to(t.device)
        place = t * self.steps
        return self._tables[t.device], place, place.long().clamp(0, self.steps - 1)


@component
class CosineNoise(_Preserving):
    """alpha = cos(pi/2 (t + s) / (1 + s)), scaled to 1 at t = 0 (Nichol and Dhariwal 2021, arXiv:2102.09672)."""

    offset: float = option(0.008, min=0, max=0.5, doc="s: how fast the noise begins")

    def log_alpha(self, t: Tensor) -> Tensor:
        return self._angle(t).cos().log() - math.log(math.cos(self._rate() * self.offset))

    def d_log_alpha(self, t: Tensor) -> Tensor:
        return -SHARE * self._rate() * self._angle(t).tan()

    def _angle(self, t: Tensor) -> Tensor:
        return self._rate() * (SHARE * t + self.offset)

    def _rate(self) -> float:
        return math.pi / 2 / (1 + self.offset)


@component
class SigmoidNoise(_Preserving):
    """alpha^2 falls like a sigmoid, scaled to 1 at t = 0 (Jabri et al. 2022, arXiv:2212.11972)."""

    start: float = option(-3.0, min=-20, max=20, doc="where the sigmoid is entered")
    end: float = option(3.0, min=-20, max=20, doc="where it is left; above start")
    temperature: float = option(1.0, above=0, max=100, doc="tau: the larger, the straighter")

    def __attrs_post_init__(self) -> None:
        if self.end <= self.start:
            raise OptionError(f"end must be above start ({self.start:g}), got {self.end:g}")

    def log_alpha(self, t: Tensor) -> Tensor:
        return self._square(t).log() / 2

    def d_log_alpha(self, t: Tensor) -> Tensor:
        value = self._at(t)
        slope = value * (1 - value) * SHARE * (self.end - self.start) / self.temperature
        return -slope / self._range(t) / self._square(t) / 2

    def _square(self, t: Tensor) -> Tensor:
        return (self._at(torch.full_like(t, 1 / SHARE)) - self._at(t)) / self._range(t)

    def _range(self, t: Tensor) -> Tensor:
        return self._at(torch.full_like(t, 1 / SHARE)) - self._at(torch.zeros_like(t))

    def _at(self, t: Tensor) -> Tensor:
        return torch.sigmoid((self.start + SHARE * t * (self.end - self.start)) / self.temperature)


@component
class VariancePreserving(_Preserving):
    """The continuous limit of DDPM's chain: beta grows linearly in t (Song et al. 2021, arXiv:2011.13456)."""

    beta_min: float = option(0.1, min=0, max=1000, doc="beta at t = 0")
    beta_max: float = option(20.0, above=0, max=1000, doc="beta at t = 1")

    def log_alpha(self, t: Tensor) -> Tensor:
        return -(self.beta_min * t + (self.beta_max - self.beta_min) * t**2 / 2) / 2

    def d_log_alpha(self, t: Tensor) -> Tensor:
        return -(self.beta_min + (self.beta_max - self.beta_min) * t) / 2


@interface
class _Exploding(NoiseSchedule):
    """alpha = 1: the noise grows, the data stay as they are."""

    def alpha(self, t: Tensor) -> Tensor:
        return torch.ones_like(t)

    def d_alpha(self, t: Tensor) -> Tensor:
        return torch.zeros_like(t)


@component
class VarianceExploding(_Exploding):
    """sigma grows geometrically from sigma_min to sigma_max (Song et al. 2021, arXiv:2011.13456)."""

    sigma_min: float = option(0.01, above=0, max=1, doc="sigma at t = 0")
    sigma_max: float = option(50.0, above=1, max=1e4, doc="sigma at t = 1")

    def sigma(self, t: Tensor) -> Tensor:
        return (math.log(self.sigma_min) + t * self._rate()).exp()

    def d_sigma(self, t: Tensor) -> Tensor:
        return self._rate() * self.sigma(t)

    def time_of(self, log_snr: Tensor) -> Tensor:
        return ((-log_snr / 2 - math.log(self.sigma_min)) / self._rate()).clamp(0, 1)

    def _rate(self) -> float:
        return math.log(self.sigma_max / self.sigma_min)


@component
class EdmNoise(_Exploding):
    """sigma^(1/rho) grows linearly in t, which is how EDM spaces its grid (Karras et al. 2022, arXiv:2206.00364)."""

    sigma_min: float = option(0.002, above=0, max=1, doc="sigma at t = 0")
    sigma_max: float = option(80.0, above=1, max=1e4, doc="sigma at t = 1")
    rho: float = option(7.0, min=1, max=100, doc="the larger, the more of t is spent at little noise")

    def sigma(self, t: Tensor) -> Tensor:
        return self._root(t).pow(self.rho)

    def d_sigma(self, t: Tensor) -> Tensor:
        low, high = self._ends()
        return self.rho * (high - low) * self._root(t).pow(self.rho - 1)

    def time_of(self, log_snr: Tensor) -> Tensor:
        root = (-log_snr / (2 * self.rho)).exp()
        low, high = self._ends()
        return ((root - low) / (high - low)).clamp(0, 1)

    def _root(self, t: Tensor) -> Tensor:
        low, high = self._ends()
        return low + t * (high - low)

    def _ends(self) -> tuple[float, float]:
        """The two ends of sigma^(1/rho)."""
        return math.pow(self.sigma_min, 1 / self.rho), math.pow(self.sigma_max, 1 / self.rho)


@component
class LinearPath(NoiseSchedule):
    """alpha = 1 - t, sigma = t: straight lines from data to noise (Lipman et al. 2023, arXiv:2210.02747)."""

    def alpha(self, t: Tensor) -> Tensor:
        return 1 - t

    def sigma(self, t: Tensor) -> Tensor:
        return t

    def d_alpha(self, t: Tensor) -> Tensor:
        return -torch.ones_like(t)

    def d_sigma(self, t: Tensor) -> Tensor:
        return torch.ones_like(t)

    def time_of(self, log_snr: Tensor) -> Tensor:
        return torch.sigmoid(-log_snr / 2).clamp(min=self.t_min)


@component
class TrigonometricPath(NoiseSchedule):
    """alpha = cos(pi t / 2), sigma = sin(pi t / 2) (Albergo and Vanden-Eijnden 2023, arXiv:2209.15571)."""

    def alpha(self, t: Tensor) -> Tensor:
        return (math.pi / 2 * (1 - t)).sin()  # exactly 0 at t = 1, which the cosine is not

    def sigma(self, t: Tensor) -> Tensor:
        return (math.pi / 2 * t).sin()

    def d_alpha(self, t: Tensor) -> Tensor:
        return -math.pi / 2 * self.sigma(t)

    def d_sigma(self, t: Tensor) -> Tensor:
        return math.pi / 2 * self.alpha(t)

    def time_of(self, log_snr: Tensor) -> Tensor:
        return (2 / math.pi * (-log_snr / 2).exp().atan()).clamp(min=self.t_min)
