"""Another size for images, by antialiased bilinear interpolation."""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from torch import Tensor
from torch.nn import functional

from gen.component import component, option
from gen.interfaces import Transform
from gen.types import Domain
from gen_data.transforms.sourced import image_shape

__all__ = ["Resize"]


@component
class Resize(Transform):
    """Scales images to another height and width (bilinear, antialiased); values in between arise: levels are lost."""

    example: ClassVar[dict[str, object]] = {"to": 8}
    to: int = option(min=1, max=16_384, doc="the side in pixels")
    width: int | None = option(None, min=1, max=16_384, doc="the width, where it differs from the height")

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of what comes out."""
        return self.to, self.width or self.to

    def domain(self, domain: Domain) -> Domain:
        channels, *size = image_shape(domain, "resize")
        if tuple(size) == self.size:
            return domain
        return attrs.evolve(domain, shape=(channels, *self.size), levels=None)

    def __call__(self, x: Tensor, index: Tensor, rng: torch.Generator | None = None) -> Tensor:
        if x.shape[2:] == self.size:
            return x
        return functional.interpolate(x, self.size, mode="bilinear", antialias=True)
