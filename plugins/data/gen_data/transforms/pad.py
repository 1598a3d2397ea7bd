"""A margin around images."""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from torch import Tensor
from torch.nn import functional

from gen.component import component, option
from gen.errors import ShapeError
from gen.types import Domain
from gen_data.transforms.sourced import Sourced, image_shape

__all__ = ["Pad"]


@component
class Pad(Sourced):
    """Centres images on a larger canvas; of an odd margin the right and lower sides get one more."""

    example: ClassVar[dict[str, object]] = {"to": 20}
    to: int = option(min=1, max=16_384, doc="the side in pixels")
    width: int | None = option(None, min=1, max=16_384, doc="the width, where it differs from the height")
    value: float | None = option(None, doc="the value of the margin; null: the low end of the range")

    def domain(self, domain: Domain) -> Domain:
        channels, height, width = image_shape(domain, "pad")
        size = (self.to, self.width or self.to)
        if height > size[0] or width > size[1]:
            raise ShapeError(f"pad cannot bring {height}x{width} to {size[0]}x{size[1]}: `to` is at least the side")
        low, high = domain.range
        if self.value is not None and not low <= self.value <= high:
            raise ShapeError(f"pad has the value {self.value:g}, outside the range [{low:g}, {high:g}] of the data")
        self.see(domain)
        levels = domain.levels if self.value in (None, low, high) else None
        return attrs.evolve(domain, shape=(channels, *size), levels=levels)

    def __call__(self, x: Tensor, index: Tensor, rng: torch.Generator | None = None) -> Tensor:
        value = self.source.range[0] if self.value is None else self.value
        rows, columns = self.to - x.shape[2], (self.width or self.to) - x.shape[3]
        margins = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
        return functional.pad(x, margins, value=value)
