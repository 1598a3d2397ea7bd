"""The probability flow with steps of a size that the error asks for."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gen.component import component, option
from gen.noise import expand, level_at
from gen_diffusion.samplers.sampler import DenoisingSampler
from gen_diffusion.samplers.walk import Walk, slope

__all__ = ["Adaptive"]

MOST_STEPS = 10_000
"""A stiff or broken network ends here instead of never."""


@component
class Adaptive(DenoisingSampler):
    """Bogacki and Shampine's method of order 3 with an embedded order 2, in the schedule's time.

    Three network calls a step; every sample has steps of its own, accepted where the estimated error is within
    atol + rtol |x| on average over its dimensions. `grid` and `steps` only say where it ends and how it begins.
    """

    excused: ClassVar[dict[str, str]] = {"calls-grow-with-steps": "its steps follow the error, not the option"}
    atol: float = option(1e-3, above=0, max=1, doc="error allowed per step, in the unit of the data")
    rtol: float = option(1e-3, min=0, max=1, doc="error allowed per step, as a share of x")

    def walk(self, walk: Walk, x: Tensor) -> Tensor:
        stops = walk.grid.times
        end = stops[-2] if walk.grid.steps > 1 else stops[0]
        t = stops[0].expand(len(x)).clone()  # [n]
        h, first = (end - t) / max(walk.grid.steps - 1, 1), self._slope(walk, x, t)
        for _ in range(MOST_STEPS):
            under_way = t > end
            if not under_way.any():
                break
            h = torch.maximum(h, end - t)  # both are negative
            there, last, error = self._try(walk, x, t, h, first)
            accepted = under_way & (error <= 1)
            x, first = _chosen(accepted, there, x), _chosen(accepted, last, first)
            t = torch.where(accepted, torch.maximum(t + h, end), t)
            h = h * (0.9 * error.clamp(min=1e-12).pow(-1 / 3)).clamp(0.2, 5.0)
        clean = walk.clean_at(x, t, float(end))
        walk.tell(walk.grid.steps - 1, clean)
        return clean

    def _try(self, walk: Walk, x: Tensor, t: Tensor, h: Tensor, k1: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """A step of order 3, the slope at its end (the next step's first), and its error over what is allowed [n]."""
        step = expand(h, x)
        k2 = self._slope(walk, x + step / 2 * k1, t + h / 2)
        k3 = self._slope(walk, x + 3 * step / 4 * k2, t + 3 * h / 4)
        there = x + step * (2 * k1 + 3 * k2 + 4 * k3) / 9
        k4 = self._slope(walk, there, t + h)
        gap = step * (-5 * k1 / 72 + k2 / 12 + k3 / 9 - k4 / 8)
        allowed = self.atol + self.rtol * torch.maximum(x.abs(), there.abs())
        return there, k4, (gap / allowed).square().flatten(1).mean(1).sqrt()

    def _slope(self, walk: Walk, x: Tensor, t: Tensor) -> Tensor:
        """dx/dt of the probability flow, every sample at its own time; guidance acts by the latest of them."""
        level = level_at(walk.model.schedule, t)
        values = (expand(v, x) for v in (level.alpha, level.sigma, level.d_alpha, level.d_sigma))
        return slope(x, walk.clean_at(x, t, float(t.max())), *values)


def _chosen(mask: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    """Row by row."""
    return torch.where(mask.reshape(-1, *(1,) * (yes.ndim - 1)), yes, no)
