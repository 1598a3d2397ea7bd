"""Reconstructions of given data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gen.component import component
from gen.interfaces import Sampler
from gen.types import Given
from gen_vae.samplers.starts import starts

__all__ = ["Reconstruct"]


@component
class Reconstruct(Sampler):
    """What a model makes of the data it is given, through their codes; pictures show it below the originals."""

    needs = ("reconstruct",)
    given = ("x",)

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
        return model.reconstruct(*starts("vae/reconstruct", given, cond, n))
