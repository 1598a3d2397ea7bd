"""Variations of given samples: some noise is added, and taken away again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import torch
from torch import Tensor

from gen.component import component, option, slot
from gen.interfaces import Sampler
from gen.types import Given
from gen_diffusion.samplers.sampler import DenoisingSampler
from gen_diffusion.samplers.walk import Walk
from gen_diffusion.tasks.given import taken

__all__ = ["Edit", "shortened"]


@component
class Edit(Sampler):
    """SDEdit (Meng et al. 2022, arXiv:2108.01073): noise up to time `strength`, then any solver from there.

    Strength 0 gives back what was given, 1 a fresh sample. A model with labels draws what the label says.
    """

    needs = ("denoise",)
    given = ("x",)
    strength: float = option(0.5, min=0, max=1, doc="time t up to which noise is added; what it covers is drawn anew")
    solver: DenoisingSampler = slot(default="diffusion/dpm-solver", doc="walks back; its steps are for all of t")

    def check(self, model: Any) -> None:
        self.solver.check(model)

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
        x = taken(self, given, model.data.shape, n)
        walk = self.solver.start(model, cond, rng, observe)
        noise = torch.randn(x.shape, generator=rng, device=rng.device, dtype=x.dtype)
        if self.strength == 1:
            return self.solver.walk(walk, noise * walk.grid.sigma[0])
        if self.strength == 0:
            walk.tell(walk.grid.steps - 1, x)
            return x
        walk = shortened(walk, self.strength)
        return self.solver.walk(walk, walk.grid.alpha[0] * x + walk.grid.sigma[0] * noise)

    def rows(self, model: Any, x: Tensor, given: Given | None) -> list[Tensor]:
        """What was given, and the samples."""
        return [taken(self, given, model.data.shape, len(x)), x]


def shortened(walk: Walk, t: float) -> Walk:
    """The walk from time t on: its first stop is t itself, then those of the whole walk that come after."""
    grid = walk.grid
    first = sum(stop >= t for stop in grid.times.tolist())
    head = walk.level(torch.tensor(t, dtype=torch.float64))
    columns = (grid.alpha, grid.sigma, grid.d_alpha, grid.d_sigma)
    times = torch.cat([grid.times.new_tensor([t]), grid.times[first:]])
    tails = [[number, *column[first:]] for number, column in zip(head, columns, strict=True)]
    return attrs.evolve(walk, grid=type(grid)(times, *tails))
