"""Samples of a latent variable model: z from its prior, then x from what z stands for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gen.component import component, option
from gen.errors import GenError
from gen.interfaces import Sampler
from gen.types import Given

__all__ = ["PriorSampler"]


@component
class PriorSampler(Sampler):
    """New samples: z ~ p(z), then the mean of p(x|z), or a draw of it."""

    needs = ("decode", "generate")
    mean: bool = option(True, doc="show the mean of p(x|z); false: a draw of it, with the noise of the likelihood")

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
        z = model.prior.sample(n, rng)  # [n, D]
        if self.mean:
            return model.generate(z, cond)
        if not hasattr(model, "draw"):
            raise GenError("vae/prior with mean: false draws from a likelihood, and this model has none")
        return model.draw(z, cond, rng)
