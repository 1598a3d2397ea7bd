"""The probability flow dx/dt = alpha' D + sigma' noise in the schedule's own time, by Euler and by Heun."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from gen.component import component
from gen_diffusion.samplers.sampler import DenoisingSampler
from gen_diffusion.samplers.walk import Walk

__all__ = ["Euler", "Heun"]


@component
class Euler(DenoisingSampler):
    """Euler's method in t; the last step goes straight to the estimate of x."""

    traits: ClassVar[dict[str, Any]] = {"order": 1}

    def walk(self, walk: Walk, x: Tensor) -> Tensor:
        times = walk.grid.times.tolist()
        for i in range(walk.grid.steps - 1):
            clean = walk.clean(x, i)
            x = x + (times[i + 1] - times[i]) * walk.slope_at(x, clean, i)
            walk.tell(i, clean)
        return _finish(walk, x)


@component
class Heun(DenoisingSampler):
    """Heun's method in t, two network calls a step; the last step goes straight to the estimate of x."""

    traits: ClassVar[dict[str, Any]] = {"order": 2}

    def walk(self, walk: Walk, x: Tensor) -> Tensor:
        times = walk.grid.times.tolist()
        for i in range(walk.grid.steps - 1):
            h = times[i + 1] - times[i]
            clean = walk.clean(x, i)
            slope = walk.slope_at(x, clean, i)
            there = x + h * slope
            x = x + h / 2 * (slope + walk.slope_at(there, walk.clean(there, i + 1), i + 1))
            walk.tell(i, clean)
        return _finish(walk, x)


def _finish(walk: Walk, x: Tensor) -> Tensor:
    last = walk.grid.steps - 1
    clean = walk.clean(x, last)
    walk.tell(last, clean)
    return clean
