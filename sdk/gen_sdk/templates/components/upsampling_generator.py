"""A generator: noise to a sample in data space.

A small map of features, doubled in size by nearest neighbours and smoothed by a convolution, as often as `depth` says
(Odena et al. 2016 on why not by transposed convolutions). Shapes: B batch, D latent size, C channels, H W sides.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gen.component import component, option
from gen.errors import ShapeError
from gen.interfaces import Generator

__all__ = ["UpsamplingGenerator"]


@component
class UpsamplingGenerator(Generator):
    """A small map of features, doubled and smoothed level by level; a hyperbolic tangent keeps it in [-1, 1]."""

    example: ClassVar[dict[str, Any]] = {"width": 8}  # small and quick, for checks
    width: int = option(32, min=1, max=4096, doc="channels of every level")
    depth: int = option(2, min=1, max=10, doc="levels; the sides are divisible by 2**depth")

    def build(self) -> None:
        """Whoever owns the generator has set `in_shape`, `out_shape` and `cond`: layers follow from them."""
        side = 2**self.depth
        if len(self.out_shape) != 3 or self.out_shape[1] % side or self.out_shape[2] % side:
            raise ShapeError(f"{self.out_shape} cannot be halved {self.depth} times: choose a smaller depth")
        if self.cond is not None and self.cond.kind != "class":
            raise ShapeError(f"UpsamplingGenerator can be told classes, no {self.cond.kind}")
        channels, height, width = self.out_shape
        self.grid = (self.width, height // side, width // side)
        self.enter = nn.Linear(math.prod(self.in_shape), math.prod(self.grid))
        self.label = nn.Embedding(self.cond.size + 1, math.prod(self.grid)) if self.cond is not None else None
        self.levels = nn.ModuleList(nn.Conv2d(self.width, self.width, 3, padding=1) for _ in range(self.depth))
        self.paint = nn.Conv2d(self.width, channels, 3, padding=1)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        h = self.enter(z.flatten(1))  # [B, width H W / 4**depth]
        if self.label is not None and self.cond is not None:  # without a label it is told the null one
            h = h + self.label(torch.full(z.shape[:1], self.cond.null, device=z.device) if cond is None else cond)
        h = h.unflatten(1, self.grid)
        for level in self.levels:
            h = level(nn.functional.interpolate(nn.functional.relu(h), scale_factor=2.0))
        return self.paint(nn.functional.relu(h)).tanh()  # [B, C, H, W]
