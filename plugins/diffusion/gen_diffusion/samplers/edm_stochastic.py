"""EDM's sampler: Heun's method in sigma/alpha, noise stirred in before a step (Karras et al. 2022, algorithm 2)."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor

from gen.component import component, option
from gen_diffusion.samplers.grid import GRIDS, MOST_NSR
from gen_diffusion.samplers.sampler import DenoisingSampler
from gen_diffusion.samplers.walk import Walk

__all__ = ["EdmStochastic"]


@component
class EdmStochastic(DenoisingSampler):
    """EDM's sampler; `churn: 0` makes it deterministic. Two network calls a step, but one in the last."""

    traits: ClassVar[dict[str, Any]] = {"order": 2}
    steps: int = option(18, min=1, max=100_000, doc="steps from noise to data")
    grid: str = option("karras", choices=GRIDS, doc="what the steps divide evenly")
    churn: float = option(0.0, min=0, max=10_000, doc="S_churn: how much noise is stirred in over all steps")
    churn_from: float = option(0.0, min=0, max=1e6, doc="S_min: least sigma/alpha at which it is")
    churn_to: float = option(1e6, min=0, max=1e6, doc="S_max: most sigma/alpha at which it is")
    churn_scale: float = option(1.0, above=0, max=2, doc="S_noise: its standard deviation over the exact one")

    def walk(self, walk: Walk, x: Tensor) -> Tensor:
        grid = walk.grid
        for i in range(grid.steps):
            nsr = grid.sigma[i] / grid.alpha[i] if grid.alpha[i] > 0 else math.inf
            x, clean, alpha, sigma = self._stirred(walk, x, i, nsr)
            there = _jump(x, clean, alpha, sigma, grid.alpha[i + 1], grid.sigma[i + 1])
            if i + 1 < grid.steps and nsr <= 1.01 * MOST_NSR:  # from pure noise the first estimate is all there is
                x = _second(walk, x, clean, there, alpha, sigma, i + 1)
            else:
                x = there
            walk.tell(i, clean)
        return x

    def _stirred(self, walk: Walk, x: Tensor, i: int, nsr: float) -> tuple[Tensor, Tensor, float, float]:
        """x with fresh noise, its clean estimate, and the level where it then is."""
        grid = walk.grid
        gamma = min(self.churn / grid.steps, math.sqrt(2) - 1) if self.churn_from <= nsr <= self.churn_to else 0.0
        if gamma == 0 or i == 0:  # at the first stop there is nothing but noise
            return x, walk.clean(x, i), grid.alpha[i], grid.sigma[i]
        more = nsr * (1 + gamma)
        t = walk.model.schedule.time_of(torch.tensor([-2 * math.log(more)], dtype=torch.float64))
        alpha, sigma, _, _ = walk.level(t)
        added = math.sqrt(max((sigma / alpha) ** 2 - nsr**2, 0.0))
        x = alpha * (x / grid.alpha[i] + self.churn_scale * added * walk.draw(x))
        return x, walk.clean_at(x, t[0].to(x), t.item()), alpha, sigma


def _jump(x: Tensor, clean: Tensor, alpha: float, sigma: float, alpha_to: float, sigma_to: float) -> Tensor:
    """Euler's step in sigma/alpha: to the next level with the noise that x holds."""
    kept = sigma_to / sigma
    return kept * x + (alpha_to - kept * alpha) * clean


def _second(walk: Walk, x: Tensor, clean: Tensor, there: Tensor, alpha: float, sigma: float, to: int) -> Tensor:
    """Heun's step in y = x/alpha over s = sigma/alpha, where dy/ds = (y - D) / s."""
    alpha_to, sigma_to = walk.grid.alpha[to], walk.grid.sigma[to]
    start, end = sigma / alpha, sigma_to / alpha_to
    slope = (x / alpha - clean) / start
    other = (there / alpha_to - walk.clean(there, to)) / end
    return alpha_to * (x / alpha + (end - start) / 2 * (slope + other))
