"""A decoder: a code to the parameters of p(x given z).

One matrix makes features for every patch of the image, another turns the features of a patch into its pixels. Shapes:
B batch, D latent size, C channels, H W sides, P patch.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gen.component import component, option
from gen.errors import ShapeError
from gen.interfaces import Decoder

__all__ = ["PatchDecoder"]


@component
class PatchDecoder(Decoder):
    """Makes features for every patch of an image, and the pixels of each patch from its features."""

    example: ClassVar[dict[str, Any]] = {"width": 8, "hidden": 16}  # small and quick, for checks
    patch: int = option(2, min=1, max=256, doc="side of a patch in pixels, P; it divides both sides")
    width: int = option(32, min=1, max=65_536, doc="features of a patch")
    hidden: int = option(128, min=1, max=65_536, doc="units between the code and the patches")

    def build(self) -> None:
        """Whoever owns the decoder has set `in_shape`, `out_shape` and `cond`: layers follow from them."""
        if len(self.out_shape) != 3 or self.out_shape[1] % self.patch or self.out_shape[2] % self.patch:
            raise ShapeError(f"patches of side {self.patch} do not tile {self.out_shape}: choose a patch that does")
        if self.cond is not None and self.cond.kind != "class":
            raise ShapeError(f"PatchDecoder can be told classes, no {self.cond.kind}")
        channels, height, width = self.out_shape
        self.grid = (self.width, height // self.patch, width // self.patch)
        self.enter = nn.Linear(math.prod(self.in_shape), self.hidden)
        self.label = nn.Embedding(self.cond.size + 1, self.hidden) if self.cond is not None else None
        self.spread = nn.Linear(self.hidden, math.prod(self.grid))
        self.paint = nn.ConvTranspose2d(self.width, channels, self.patch, stride=self.patch)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        h = self.enter(z.flatten(1))  # [B, hidden]
        if self.label is not None and self.cond is not None:  # without a label it is told the null one
            h = h + self.label(torch.full(z.shape[:1], self.cond.null, device=z.device) if cond is None else cond)
        h = self.spread(nn.functional.gelu(h)).unflatten(1, self.grid)  # [B, width, H / P, W / P]
        return self.paint(nn.functional.gelu(h))  # [B, C, H, W]
