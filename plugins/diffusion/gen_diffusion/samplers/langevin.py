"""Predictor and corrector: a step back, then Langevin steps that stay at the level reached."""

from __future__ import annotations

import math

from torch import Tensor

from gen.component import component, option
from gen_diffusion.samplers.sampler import DenoisingSampler
from gen_diffusion.samplers.walk import Walk

__all__ = ["Langevin"]


@component
class Langevin(DenoisingSampler):
    """Annealed Langevin dynamics, with ancestral steps between the levels (a predictor and a corrector).

    Song and Ermon 2019, arXiv:1907.05600; Song et al. 2021, arXiv:2011.13456.
    """

    corrections: int = option(1, min=0, max=1000, doc="Langevin steps at every level")
    size: float = option(0.1, above=0, max=1, doc="of a Langevin step, in units of sigma^2")

    def walk(self, walk: Walk, x: Tensor) -> Tensor:
        grid, back = walk.grid, walk.grid.back()
        for i in range(grid.steps):
            x = self._settled(walk, x, i)
            clean = walk.clean(x, i)
            walk.tell(i, clean)
            if i + 1 == grid.steps:
                return clean
            from_noisy, from_x, _, variance = back[i]  # beta: the posterior's is too small for data that vary
            x = from_noisy * x + from_x * clean + math.sqrt(variance) * walk.draw(x)
        return x

    def _settled(self, walk: Walk, x: Tensor, i: int) -> Tensor:
        """Langevin steps with the score (alpha D - x) / sigma^2, whose stationary law is that of this level."""
        alpha, sigma = walk.grid.alpha[i], walk.grid.sigma[i]
        for _ in range(self.corrections):
            x = x + self.size * (alpha * walk.clean(x, i) - x) + math.sqrt(2 * self.size) * sigma * walk.draw(x)
        return x
