"""Blends of given samples, by way of the noise that they are made of."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gen.component import component, option, slot
from gen.interfaces import Sampler
from gen.types import Given
from gen_diffusion.samplers.sampler import DenoisingSampler
from gen_diffusion.tasks.given import taken
from gen_diffusion.tasks.noise_space import invert, spherical

__all__ = ["Interpolate"]


@component
class Interpolate(Sampler):
    """From one given sample to another through noise: a row for each pair (1st and 2nd, 3rd and 4th …).

    Both are inverted along the probability flow, blended on an arc, and carried back (Song et al. 2021,
    arXiv:2010.02502). The ends of a row are the pair, to the accuracy of the steps. A model with labels is told the
    label of the nearer end.
    """

    needs = ("denoise",)
    given = ("x",)
    frames: int = option(8, min=2, max=1000, doc="samples in a row, both ends included")
    solver: DenoisingSampler = slot(default="diffusion/heun", doc="walks back from noise; its grid serves both ways")

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
        rows = math.ceil(n / self.frames)
        x = taken(self, given, model.data.shape, 2 * rows)
        if cond is not None:
            cond = cond[torch.arange(2 * rows) % min(len(cond), len(given.x))]  # type: ignore[union-attr]  # taken
        noisy = invert(self.solver.start(model, cond, rng), x)  # [2 rows, *shape]
        share = torch.linspace(0, 1, self.frames, device=x.device, dtype=x.dtype)
        path = spherical(noisy[::2], noisy[1::2], share).flatten(0, 1)[:n]
        if cond is not None:
            cond = cond.unflatten(0, (rows, 2))[:, (share > 0.5).long()].flatten(0, 1)[:n]
        return self.solver.walk(self.solver.start(model, cond, rng, observe), path)

    def rows(self, model: Any, x: Tensor, given: Given | None) -> list[Tensor]:
        return [x]

    def columns(self, n: int) -> int | None:
        return self.frames
