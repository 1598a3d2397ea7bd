"""An encoder: data to the features that parameterise a posterior, or that are a code.

It cuts an image into patches, embeds each by one matrix, and reads the features from all of them, which is how a vision
transformer begins (Dosovitskiy et al. 2021, arXiv:2010.11929). Shapes: B batch, C channels, H W sides, P patch.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gen.component import component, option
from gen.errors import ShapeError
from gen.interfaces import Encoder

__all__ = ["PatchEncoder"]


@component
class PatchEncoder(Encoder):
    """Embeds the patches of an image, and reads the features from all of them."""

    example: ClassVar[dict[str, Any]] = {"width": 8, "hidden": 16}  # small and quick, for checks
    patch: int = option(2, min=1, max=256, doc="side of a patch in pixels, P; it divides both sides")
    width: int = option(32, min=1, max=65_536, doc="features of a patch")
    hidden: int = option(128, min=1, max=65_536, doc="units between the patches and the output")

    def build(self) -> None:
        """Whoever owns the encoder has set `in_shape`, `out_shape` and `cond`: layers follow from them."""
        if len(self.in_shape) != 3 or self.in_shape[1] % self.patch or self.in_shape[2] % self.patch:
            raise ShapeError(f"patches of side {self.patch} do not tile {self.in_shape}: choose a patch that does")
        if self.cond is not None and self.cond.kind != "class":
            raise ShapeError(f"PatchEncoder can be told classes, no {self.cond.kind}")
        channels, height, width = self.in_shape
        patches = (height // self.patch) * (width // self.patch)
        self.embed = nn.Conv2d(channels, self.width, self.patch, stride=self.patch)
        self.read = nn.Linear(patches * self.width, self.hidden)
        self.label = nn.Embedding(self.cond.size + 1, self.hidden) if self.cond is not None else None
        self.head = nn.Linear(self.hidden, math.prod(self.out_shape))

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        h = nn.functional.gelu(self.embed(x))  # [B, width, H / P, W / P]
        h = self.read(h.flatten(1))  # [B, hidden]
        if self.label is not None and self.cond is not None:  # without a label it is told the null one
            h = h + self.label(torch.full(x.shape[:1], self.cond.null, device=x.device) if cond is None else cond)
        return self.head(nn.functional.gelu(h)).unflatten(1, self.out_shape)  # [B, *out]
