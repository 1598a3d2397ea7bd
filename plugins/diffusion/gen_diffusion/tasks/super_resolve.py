"""Enlarges images by a whole factor."""

from __future__ import annotations

from typing import Any, ClassVar

from gen.component import component, option
from gen.errors import ShapeError
from gen.types import DataSpec, Given, Shape
from gen_diffusion.tasks.given import spatial, taken
from gen_diffusion.tasks.linear import averaging
from gen_diffusion.tasks.restoration import Known, Restoration

__all__ = ["SuperResolve"]


@component
class SuperResolve(Restoration):
    """Draws images whose mean over blocks of pixels is the small image given (Wang et al. 2022, arXiv:2212.00490).

    Images of full size are made small first.
    """

    example: ClassVar[dict[str, Any]] = {"steps": 12, "stretch": 4}
    factor: int = option(2, min=2, max=64, doc="pixels of a side that become one; it divides height and width")

    def given_shapes(self, shape: Shape) -> tuple[Shape, ...]:
        height, width = spatial("SuperResolve", shape)
        if height % self.factor or width % self.factor:
            raise ShapeError(f"factor: {self.factor} does not divide {height}x{width} pixels")
        return ((shape[0], height // self.factor, width // self.factor), shape)

    def known(self, data: DataSpec, given: Given | None, n: int) -> Known:
        x = taken(self, given, data.shape, n)
        height, width = spatial("SuperResolve", data.shape)
        smaller = averaging(height, width, self.factor).like(x)
        whole = tuple(x.shape[1:]) == data.shape
        part = smaller.inverse(smaller(x) if whole else x)  # every pixel as a block, [n, C, H, W]
        return Known(part, smaller.project, part, x if whole else None)
