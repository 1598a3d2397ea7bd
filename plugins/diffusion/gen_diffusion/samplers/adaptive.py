"""The probability flow with steps of a size that the error asks for."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from gen.component import component, option
from gen_diffusion.samplers.sampler import DenoisingSampler
from gen_diffusion.samplers.walk import Walk, slope

__all__ = ["Adaptive"]

MOST_STEPS = 10_000
"""A stiff or broken network ends here instead of never."""


@component
class Adaptive(DenoisingSampler):
    """Bogacki and Shampine's method of order 3 with an embedded order 2, in the schedule's time.

    Three network calls a step, accepted where the estimated error is within atol + rtol |x| on average over a sample,
    for all samples of the call. `grid` and `steps` only say where it ends and how it begins.
    """

    traits: ClassVar[dict[str, Any]] = {"order": 3}
    atol: float = option(1e-3, above=0, max=1, doc="error allowed per step, in the unit of the data")
    rtol: float = option(1e-3, min=0, max=1, doc="error allowed per step, as a share of x")

    def walk(self, walk: Walk, x: Tensor) -> Tensor:
        stops = walk.grid.times.tolist()
        t, end = stops[0], stops[-2] if walk.grid.steps > 1 else stops[0]
        h, first = (end - t) / max(walk.grid.steps - 1, 1), self._slope(walk, x, t)
        for _ in range(MOST_STEPS):
            if t <= end:
                break
            h = max(h, end - t)
            there, last, error = self._try(walk, x, t, h, first)
            if error <= 1:
                x, t, first = there, (end if h == end - t else t + h), last
            h *= min(5.0, max(0.2, 0.9 * max(error, 1e-12) ** (-1 / 3)))
        clean = walk.clean_at(x, walk.grid.times.new_tensor(t), t)
        walk.tell(walk.grid.steps - 1, clean)
        return clean

    def _try(self, walk: Walk, x: Tensor, t: float, h: float, k1: Tensor) -> tuple[Tensor, Tensor, float]:
        """A step of order 3, the slope at its end (the next step's first), and its error over what is allowed."""
        k2 = self._slope(walk, x + h / 2 * k1, t + h / 2)
        k3 = self._slope(walk, x + 3 * h / 4 * k2, t + 3 * h / 4)
        there = x + h * (2 * k1 + 3 * k2 + 4 * k3) / 9
        k4 = self._slope(walk, there, t + h)
        gap = h * (-5 * k1 / 72 + k2 / 12 + k3 / 9 - k4 / 8)
        allowed = self.atol + self.rtol * torch.maximum(x.abs(), there.abs())
        error = (gap / allowed).square().flatten(1).mean(1).sqrt().max()
        return there, k4, float(error)

    def _slope(self, walk: Walk, x: Tensor, t: float) -> Tensor:
        time = walk.grid.times.new_tensor(t)
        alpha, sigma, d_alpha, d_sigma = walk.level(time.double())
        return slope(x, walk.clean_at(x, time, t), alpha, sigma, d_alpha, d_sigma)
