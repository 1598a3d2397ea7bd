"""What a sampler asks while it walks: the guided estimate of clean x, one network call each time.

Guidance joins two estimates, w D + (1 - w) D_weak, in one batch: the weak one has no label (classifier-free, Ho and
Salimans 2022, arXiv:2207.12598), or comes from a weaker network (autoguidance, Karras et al. 2024, arXiv:2406.02507).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import attrs
import torch
from torch import Tensor

from gen.noise import level_at
from gen_diffusion.samplers.grid import Grid

__all__ = ["Guidance", "Walk", "slope"]

Number = float | Tensor


@attrs.frozen
class Guidance:
    """`weight` w (1: off), used at times within `interval` (Kynkäänniemi et al. 2024, arXiv:2404.07724); `rescale`

    brings the estimate's standard deviation back towards the unguided one's (Lin et al. 2023, arXiv:2305.08891).
    `guide` is a weaker denoiser network, which then takes the place of the missing label.
    """

    weight: float = 1.0
    interval: tuple[float, float] = (0.0, 1.0)
    rescale: float = 0.0
    guide: Any = None

    def acts(self, t: float) -> bool:
        return self.weight != 1 and self.interval[0] <= t <= self.interval[1]


@attrs.define(eq=False)
class Walk:
    """One call of a sampler: n samples on their way along a grid.

    `nfe` counts network evaluations per sample; a guided one counts once, since it is one call.
    """

    model: Any
    grid: Grid
    cond: Tensor | None
    guidance: Guidance
    rng: torch.Generator
    clip: bool
    observe: Callable[[int, int, Tensor], None] | None
    nfe: int = 0
    _stops: list[float] = attrs.field(init=False)
    _weak: Any = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self._stops = self.grid.times.tolist()
        if self.guidance.guide is not None:
            self._weak = copy.copy(self.model)
            guide = self.guidance.guide.to(self.rng.device).eval()
            self._weak._modules = {**self.model._modules, "denoiser": guide}

    def clean(self, x: Tensor, i: int) -> Tensor:
        """The estimate of clean x [n, *shape] from x at stop i of the grid."""
        return self.clean_at(x, self.grid.times[i], self._stops[i])

    def clean_at(self, x: Tensor, time: Tensor, t: float) -> Tensor:
        """The estimate from x at the time `time` [], whose value is `t`."""
        self.nfe += 1
        estimate = self._estimate(x, time.expand(len(x)), t)
        if self.clip:
            low, high = self.model.data.domain.range
            estimate = estimate.clamp(low, high)
        return estimate

    def draw(self, x: Tensor) -> Tensor:
        """Standard normal noise like x, from the sampler's generator."""
        return torch.randn(x.shape, generator=self.rng, device=x.device, dtype=x.dtype)

    def slope_at(self, x: Tensor, clean: Tensor, i: int) -> Tensor:
        """dx/dt of the probability flow at stop i, if `clean` is clean x: alpha' D + sigma' noise."""
        grid = self.grid
        return slope(x, clean, grid.alpha[i], grid.sigma[i], grid.d_alpha[i], grid.d_sigma[i])

    def level(self, t: Tensor) -> list[float]:
        """alpha, sigma and their derivatives at a time off the grid, as numbers."""
        return [value.item() for value in attrs.astuple(level_at(self.model.schedule, t), recurse=False)]

    def tell(self, i: int, estimate: Tensor) -> None:
        """Reports the estimate after step i of the grid."""
        if self.observe is not None:
            self.observe(i + 1, self.grid.steps, estimate)

    def _estimate(self, x: Tensor, time: Tensor, t: float) -> Tensor:
        guidance, cond = self.guidance, self.cond
        if not guidance.acts(t) or (cond is None and self._weak is None):
            return self._full(x, time, cond)
        if self._weak is not None:
            strong, weak = self._full(x, time, cond), self._weak.denoise(x, time, cond)
        else:
            null = torch.full_like(cond, self.model.data.cond.null)
            both = self.model.denoise(torch.cat([x, x]), torch.cat([time, time]), torch.cat([cond, null]))
            strong, weak = both.chunk(2)
        guided = weak + guidance.weight * (strong - weak)
        return _rescaled(guided, strong, guidance.rescale) if guidance.rescale else guided

    def _full(self, x: Tensor, time: Tensor, cond: Tensor | None) -> Tensor:
        estimate: Tensor = self.model.denoise(x, time, cond)
        return estimate.to(x.dtype)


def slope(x: Tensor, clean: Tensor, alpha: Number, sigma: Number, d_alpha: Number, d_sigma: Number) -> Tensor:
    """alpha' D + sigma' noise, with the noise that x holds if D is clean; levels are numbers, or broadcast to x."""
    return d_alpha * clean + (d_sigma / sigma) * (x - alpha * clean)


def _rescaled(guided: Tensor, strong: Tensor, share: float) -> Tensor:
    """The guided estimate with, in part, the spread over a sample that the unguided one has."""
    axes = list(range(1, guided.ndim))
    wanted, there = strong.std(axes, keepdim=True), guided.std(axes, keepdim=True)
    return guided * (1 - share + share * wanted / there.clamp(min=1e-8))
