"""A sampler: draws from a trained model.

z ~ p(z) shrunk by a temperature tau: z' = tau z. Colder draws are nearer to what the model knows best, and less varied
(Kingma and Dhariwal 2018, arXiv:1807.03039, section 5). Shapes: n samples, D latent size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gen.component import component, option
from gen.interfaces import Sampler
from gen.types import Given

__all__ = ["TemperedPrior"]


@component
class TemperedPrior(Sampler):
    """New samples: z ~ p(z) times a temperature, then what z stands for."""

    needs = ("generate",)  # what it asks of a model; a recipe with a model that lacks it is refused before training
    temperature: float = option(0.8, min=0, max=10, doc="factor of z, tau; 1 = the prior itself")

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
        """All randomness comes from `rng`: the same seed draws the same samples."""
        z = self.temperature * model.prior.sample(n, rng)  # [n, D]
        return model.generate(z, cond)  # [n, *shape]
