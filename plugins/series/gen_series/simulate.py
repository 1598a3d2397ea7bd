"""Simulation: series driven by fresh noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from gen.component import component
from gen.interfaces import Sampler
from gen.types import Given

__all__ = ["Simulate"]


@component
class Simulate(Sampler):
    """Series of the length of the training stretches, driven by standard normal noise through `generate`."""

    needs = ("generate",)
    traits: ClassVar[dict[str, Any]] = {"unbounded": True}

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
        z = torch.randn(n, model.latent, generator=rng, device=rng.device)  # [n, T]
        x: Tensor = model.generate(z, cond)
        return x

    def columns(self, n: int) -> int:
        """One series under the other."""
        return 1
