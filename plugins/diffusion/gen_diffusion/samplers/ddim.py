"""DDIM: jumps to the next level with the noise that x holds, or in part with new noise."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from torch import Tensor

from gen.component import component, option
from gen_diffusion.samplers.sampler import DenoisingSampler
from gen_diffusion.samplers.walk import Walk

__all__ = ["DDIM"]


@component
class DDIM(DenoisingSampler):
    """DDIM (Song et al. 2021, arXiv:2010.02502): deterministic with eta = 0, DDPM's own chain with eta = 1.

    With eta = 0 it is Euler's method in sigma/alpha, of order 1.
    """

    traits: ClassVar[dict[str, Any]] = {"order": 1}
    eta: float = option(0.0, min=0, max=1, doc="share of the chain's noise: 0 = none, 1 = all")

    def walk(self, walk: Walk, x: Tensor) -> Tensor:
        grid, back = walk.grid, walk.grid.back()
        for i in range(grid.steps):
            clean = walk.clean(x, i)
            fresh = self.eta**2 * back[i][2]  # variance
            held = math.sqrt(max(grid.sigma[i + 1] ** 2 - fresh, 0.0)) / grid.sigma[i]
            x = held * x + (grid.alpha[i + 1] - held * grid.alpha[i]) * clean
            if fresh > 0:
                x = x + math.sqrt(fresh) * walk.draw(x)
            walk.tell(i, clean)
        return x
