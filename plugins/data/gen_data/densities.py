"""Densities in the plane that can be drawn from and evaluated exactly, blurred by a Gaussian of standard deviation s.

Two shapes are exact in closed form. Points (K centres, equal weights):
    p(x) = 1/K sum_k N(x; c_k, s^2 I).
Circles around the origin (R radii, equal weights), a uniform angle convolved with the Gaussian (Rice 1945):
    p(x) = 1/R sum_r exp(-(|x|^2 + r^2) / 2 s^2) I0(|x| r / s^2) / (2 pi s^2).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import attrs
import torch
from torch import Tensor

__all__ = ["Centres", "Circles", "Density", "figure"]


@attrs.frozen
class Density(ABC):
    """A density over the plane; `noise` is the standard deviation s of the blur."""

    noise: float

    @property
    @abstractmethod
    def parts(self) -> int:
        """How many components of equal weight there are."""

    @abstractmethod
    def place(self, part: Tensor, rng: torch.Generator) -> Tensor:
        """Points [N, 2] without noise, one of each component [N]."""

    @abstractmethod
    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) [B] in nats of points [B, 2]; computed in float64."""

    def sample(self, n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """n points [n, 2] and the component [n] each was drawn from."""
        part = torch.randint(self.parts, (n,), generator=rng)
        place = self.place(part, rng)
        return place + self.noise * torch.randn(n, 2, generator=rng), part


@attrs.frozen
class Centres(Density):
    """Gaussians at `centres` [K, 2], in consecutive runs of equal length: each run is one component."""

    centres: Tensor
    runs: int

    @property
    def parts(self) -> int:
        return self.runs

    def place(self, part: Tensor, rng: torch.Generator) -> Tensor:
        run = len(self.centres) // self.runs
        return self.centres[part * run + torch.randint(run, part.shape, generator=rng)]

    def log_prob(self, x: Tensor) -> Tensor:
        centres = self.centres.to(x.device, torch.float64)
        distance = torch.cdist(x.double(), centres, compute_mode="donot_use_mm_for_euclid_dist")  # [B, K]
        logs = -distance.square() / (2 * self.noise**2)
        return logs.logsumexp(1) - math.log(len(self.centres)) - math.log(2 * math.pi * self.noise**2)


@attrs.frozen
class Circles(Density):
    """Circles of `radii` [R] around the origin."""

    radii: Tensor

    @property
    def parts(self) -> int:
        return len(self.radii)

    def place(self, part: Tensor, rng: torch.Generator) -> Tensor:
        angle = 2 * math.pi * torch.rand(part.shape, generator=rng)
        return self.radii[part][:, None] * torch.stack([angle.cos(), angle.sin()], 1)

    def log_prob(self, x: Tensor) -> Tensor:
        distance = x.double().norm(dim=1)[:, None]  # [B, 1]
        radii, variance = self.radii.to(x.device, torch.float64), self.noise**2
        # i0e(a) = exp(-a) I0(a), so the exponent becomes -(|x| - r)^2 / 2 s^2 and nothing overflows
        bessel: Tensor = torch.special.i0e(distance * radii / variance)  # [B, R]
        logs: Tensor = bessel.log() - (distance - radii).square() / (2 * variance)
        return logs.logsumexp(1) - math.log(self.parts) - math.log(2 * math.pi * variance)


def figure(name: str, noise: float) -> Density:
    """The density of a figure by name, scaled so that the bulk lies in [-1, 1]²."""
    return _FIGURES[name](noise)


def _eight_gaussians(noise: float) -> Density:
    angle = torch.arange(8) * (2 * math.pi / 8)
    return Centres(noise, 0.8 * torch.stack([angle.cos(), angle.sin()], 1), 8)


def _grid(noise: float) -> Density:
    side = torch.linspace(-0.8, 0.8, 5)
    return Centres(noise, torch.cartesian_prod(side, side), 25)


def _moons(noise: float) -> Density:
    """Two half circles that interlock; each is 256 centres, which a blur of 0.02 and more makes one line."""
    angle = torch.linspace(0, math.pi, 256)
    upper = torch.stack([angle.cos(), angle.sin()], 1)  # [256, 2]
    lower = torch.stack([1 - angle.cos(), 0.5 - angle.sin()], 1)
    return Centres(noise, (torch.cat([upper, lower]) - torch.tensor([0.5, 0.25])) / 1.9, 2)


def _rings(noise: float) -> Density:
    return Circles(noise, torch.tensor([0.3, 0.55, 0.8]))


_FIGURES = {"eight-gaussians": _eight_gaussians, "grid": _grid, "moons": _moons, "rings": _rings}
