"""The chain of DDPM itself, over any grid."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from gen.component import component, option
from gen.errors import OptionError
from gen_diffusion.samplers.sampler import DenoisingSampler
from gen_diffusion.samplers.walk import Walk

__all__ = ["Ancestral"]


@component
class Ancestral(DenoisingSampler):
    """Ancestral sampling: every step draws from p(x_s | x_t) (Ho et al. 2020, arXiv:2006.11239)."""

    steps: int = option(1000, min=1, max=100_000, doc="steps from noise to data; fewer skip levels of the chain")
    variance: str = option(
        "small", choices=("small", "large", "model"), doc="the posterior's, beta, what the model says"
    )

    def walk(self, walk: Walk, x: Tensor) -> Tensor:
        if self.variance == "model":
            return self._by_the_model(walk, x)
        for i, (from_noisy, from_x, small, large) in enumerate(walk.grid.back()):
            clean = walk.clean(x, i)
            x = from_noisy * x + from_x * clean
            variance = small if self.variance == "small" else large
            if i + 1 < walk.grid.steps:
                x = x + math.sqrt(variance) * walk.draw(x)
            walk.tell(i, clean)
        return x

    def _by_the_model(self, walk: Walk, x: Tensor) -> Tensor:
        model: Any = walk.model
        if not hasattr(model, "reverse_variance"):
            raise OptionError("variance: model needs a model that states the variance of a step; choose small or large")
        if self.guidance != 1:
            raise OptionError(
                "variance: model states the variance of an unguided step: set guidance: 1, or choose small"
            )
        times = walk.grid.times
        for i, (from_noisy, from_x, _, _) in enumerate(walk.grid.back()):
            clean, variance = model.reverse_variance(x, times[i].expand(len(x)), times[i + 1].expand(len(x)), walk.cond)
            walk.nfe += 1
            x = from_noisy * x + from_x * clean
            if i + 1 < walk.grid.steps:
                x = x + torch.sqrt(variance) * walk.draw(x)
            walk.tell(i, clean)
        return x
