"""The probability flow dx/dt = alpha' D + sigma' noise: Euler's method in the schedule's own time, and Heun's."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from gen.component import component
from gen_diffusion.samplers.sampler import DenoisingSampler
from gen_diffusion.samplers.walk import Walk

__all__ = ["Euler", "Heun", "heun_step"]


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
    """Heun's method on dx = D dalpha + noise dsigma, two network calls a step; the last goes straight to the estimate.

    It steps in alpha and sigma themselves, so that a schedule whose derivatives jump (DDPM's chain) or grow without
    bound near clean data does no harm; where alpha = 1 it is algorithm 1 of Karras et al. 2022 (arXiv:2206.00364).
    """

    traits: ClassVar[dict[str, Any]] = {"order": 2}

    def walk(self, walk: Walk, x: Tensor) -> Tensor:
        for i in range(walk.grid.steps - 1):
            x, clean = heun_step(walk, x, i, i + 1)
            walk.tell(i, clean)
        return _finish(walk, x)


def heun_step(walk: Walk, x: Tensor, here: int, to: int) -> tuple[Tensor, Tensor]:
    """x at stop `to`, before or after stop `here`, by the trapezoidal rule, and the estimate of clean x at `here`."""
    grid = walk.grid
    clean = walk.clean(x, here)
    noise = (x - grid.alpha[here] * clean) / grid.sigma[here]
    there = grid.alpha[to] * clean + grid.sigma[to] * noise
    clean_there = walk.clean(there, to)
    noise_there = (there - grid.alpha[to] * clean_there) / grid.sigma[to]
    by_alpha, by_sigma = (grid.alpha[to] - grid.alpha[here]) / 2, (grid.sigma[to] - grid.sigma[here]) / 2
    return x + by_alpha * (clean + clean_there) + by_sigma * (noise + noise_there), clean


def _finish(walk: Walk, x: Tensor) -> Tensor:
    last = walk.grid.steps - 1
    clean = walk.clean(x, last)
    walk.tell(last, clean)
    return clean
