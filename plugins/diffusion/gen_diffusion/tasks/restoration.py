"""Samples that agree with a measurement y = A x, from a model that knows nothing of A.

Two ways to make a reverse chain agree, P = A⁺A being the projection on what y tells:

    projection   every estimate of clean x is corrected: D - P D + A⁺y   (DDNM: Wang et al. 2022, arXiv:2212.00490)
    replacement  every x_noisy is: x - P x + P (alpha A⁺y + sigma noise) (RePaint: Lugmayr et al. 2022,
                                                                          arXiv:2201.09865)

Neither tells the rest what y is at high noise. Walking a stretch of the chain again after a jump back into noise does:
repeated, the rest settles to what it is given y (RePaint's resampling, DDNM's time travel).
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import attrs
import torch
from torch import Tensor

from gen.component import interface, option
from gen.types import DataSpec, Given
from gen_diffusion.samplers.sampler import GridSampler
from gen_diffusion.samplers.walk import Walk

__all__ = ["Known", "Restoration", "renoised"]


@attrs.frozen(eq=False)
class Known:
    """What a measurement says of n samples: `part` A⁺y and the projection `project` A⁺A on it, both [n, *shape].

    `seen` is what a picture shows of it, and `truth` what it was made from where that is at hand.
    """

    part: Tensor
    project: Callable[[Tensor], Tensor]
    seen: Tensor
    truth: Tensor | None = None

    def put(self, x: Tensor, part: Tensor) -> Tensor:
        """x with another part, [n, *shape]."""
        return x - self.project(x) + part


@interface
class Restoration(GridSampler):
    """An ancestral chain held to a measurement, in stretches that are walked again."""

    given = ("x",)
    method: str = option(
        "projection",
        choices=("projection", "replacement"),
        doc="what is held to the measurement: the estimate, or x_noisy",
    )
    stretch: int = option(10, min=1, max=100_000, doc="steps between jumps back")
    repeats: int = option(1, min=1, max=10_000, doc="times every stretch is walked; more agree better, and cost")

    @abstractmethod
    def known(self, data: DataSpec, given: Given | None, n: int) -> Known:
        """What is known of n samples of these data.

        Raises:
            GenError: nothing was given, or not what this task starts from.
        """

    @torch.no_grad()
    def sample(
        self,
        model: Any,
        n: int,
        *,
        rng: torch.Generator,
        cond: Tensor | None = None,
        given: Given | None = None,
        observe: Callable[[int, int, Tensor], None] | None = None,
    ) -> Tensor:
        known, walk = self.known(model.data, given, n), self.start(model, cond, rng, observe)
        x = torch.randn(n, *model.data.shape, generator=rng, device=rng.device) * walk.grid.sigma[0]  # [n, *shape]
        steps, back = walk.grid.steps, walk.grid.back()
        for start in range(0, steps, self.stretch):
            end = min(start + self.stretch, steps)
            for left in reversed(range(self.repeats)):
                for i in range(start, end):
                    x, clean = self._step(walk, x, i, back[i], known)
                    if left == 0:
                        walk.tell(i, clean)
                if left:
                    x = renoised(walk, x, end, start)
        return known.put(x, known.part)

    def _step(
        self, walk: Walk, x: Tensor, i: int, back: tuple[float, float, float, float], known: Known
    ) -> tuple[Tensor, Tensor]:
        """x at stop i + 1, and the estimate of clean x that led there."""
        clean, projects = walk.clean(x, i), self.method == "projection"
        if projects:
            clean = known.put(clean, known.part)
        from_noisy, from_x, variance, _ = back
        x = from_noisy * x + from_x * clean
        if i + 1 < walk.grid.steps:
            x = x + math.sqrt(variance) * walk.draw(x)
            if not projects:
                alpha, sigma = walk.grid.alpha[i + 1], walk.grid.sigma[i + 1]
                x = known.put(x, alpha * known.part + sigma * known.project(walk.draw(x)))
        return x, clean

    def rows(self, model: Any, x: Tensor, given: Given | None) -> list[Tensor]:
        """What the measurement was made from, what it shows, and the samples."""
        known = self.known(model.data, given, len(x))
        return [row for row in (known.truth, known.seen, x) if row is not None]


def renoised(walk: Walk, x: Tensor, at: int, to: int) -> Tensor:
    """x [n, *shape] at a stop of the grid, carried by the forward process to an earlier, noisier one."""
    grid = walk.grid
    ratio = grid.alpha[to] / grid.alpha[at]
    variance = max(grid.sigma[to] ** 2 - (ratio * grid.sigma[at]) ** 2, 0.0)
    return ratio * x + math.sqrt(variance) * walk.draw(x)
