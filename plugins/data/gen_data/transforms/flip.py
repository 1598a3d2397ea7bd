"""Mirror images."""

from __future__ import annotations

import torch
from torch import Tensor

from gen.component import component, option
from gen.interfaces import Transform
from gen.types import Domain
from gen_data.transforms.sourced import draw, image_shape

__all__ = ["Flip"]


@component
class Flip(Transform):
    """Mirrors training images left to right, each with probability `p`, drawn anew each time."""

    augments = True

    p: float = option(0.5, min=0, max=1, doc="probability")

    @property
    def random(self) -> bool:  # type: ignore[override]
        return 0 < self.p < 1

    def domain(self, domain: Domain) -> Domain:
        image_shape(domain, "flip")
        return domain

    def __call__(self, x: Tensor, index: Tensor, rng: torch.Generator | None = None) -> Tensor:
        if rng is None:
            return x
        mirrored = draw((len(x), 1, 1, 1), x, rng) < self.p  # [B, 1, 1, 1]
        return torch.where(mirrored, x.flip(3), x)
