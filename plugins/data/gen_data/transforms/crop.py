"""A piece of every image."""

from __future__ import annotations

from typing import ClassVar

import attrs
import torch
from torch import Tensor

from gen.component import component, option
from gen.errors import ShapeError
from gen.interfaces import Transform
from gen.types import Domain
from gen_data.transforms.sourced import draw, image_shape

__all__ = ["Crop"]


@component
class Crop(Transform):
    """Cuts out the middle of images, or while training a piece at a random place, drawn anew each time."""

    augments = True
    example: ClassVar[dict[str, object]] = {"to": 8}
    to: int = option(min=1, max=16_384, doc="the side in pixels")
    width: int | None = option(None, min=1, max=16_384, doc="the width, where it differs from the height")
    mode: str = option("centre", choices=("centre", "random"), doc="which piece")

    @property
    def random(self) -> bool:  # type: ignore[override]
        return self.mode == "random"

    def domain(self, domain: Domain) -> Domain:
        channels, height, width = image_shape(domain, "crop")
        size = (self.to, self.width or self.to)
        if height < size[0] or width < size[1]:
            raise ShapeError(f"crop cannot cut {size[0]}x{size[1]} out of {height}x{width}: `to` is at most the side")
        return attrs.evolve(domain, shape=(channels, *size))

    def __call__(self, x: Tensor, index: Tensor, rng: torch.Generator | None = None) -> Tensor:
        height, width = self.to, self.width or self.to
        down, right = x.shape[2] - height, x.shape[3] - width  # how far the piece can move
        if not self.random or rng is None:
            return x[:, :, down // 2 : down // 2 + height, right // 2 : right // 2 + width]
        u = draw((2, len(x), 1), x, rng)
        rows = (u[0] * (down + 1)).long() + torch.arange(height, device=x.device)  # [B, h]
        columns = (u[1] * (right + 1)).long() + torch.arange(width, device=x.device)  # [B, w]
        sample = torch.arange(len(x), device=x.device)[:, None, None]
        return x.movedim(1, 3)[sample, rows[:, :, None], columns[:, None, :]].movedim(3, 1)  # [B, C, h, w]
