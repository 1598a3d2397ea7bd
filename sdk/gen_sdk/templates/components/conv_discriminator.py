"""A discriminator: data to logits, which are large where data look real. Never a probability: losses take logits.

Strided convolutions with leaky rectifiers (Radford et al. 2015, arXiv:1511.06434) and no norm, which would let the
samples of a batch reach each other. Shapes: B batch, C channels, H W sides.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gen.component import component, option
from gen.errors import ShapeError
from gen.interfaces import Discriminator

__all__ = ["ConvDiscriminator"]


@component
class ConvDiscriminator(Discriminator):
    """Strided convolutions, then one logit: how real an image looks."""

    example: ClassVar[dict[str, Any]] = {"width": 8}  # small and quick, for checks
    width: int = option(32, min=1, max=4096, doc="channels of the first level; they double at every level")
    depth: int = option(2, min=1, max=8, doc="levels; the sides are divisible by 2**depth")

    def build(self) -> None:
        """Whoever owns the discriminator has set `in_shape` and `cond`: layers follow from them."""
        side = 2**self.depth
        if len(self.in_shape) != 3 or self.in_shape[1] % side or self.in_shape[2] % side:
            raise ShapeError(f"{self.in_shape} cannot be halved {self.depth} times: choose a smaller depth")
        if self.cond is not None and self.cond.kind != "class":
            raise ShapeError(f"ConvDiscriminator can be told classes, no {self.cond.kind}")
        channels, height, width = self.in_shape
        widths = [channels, *(self.width * 2**level for level in range(self.depth))]
        self.levels = nn.ModuleList(nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairwise(widths))
        features = widths[-1] * (height // side) * (width // side)
        self.head = nn.Linear(features, 1)
        self.label = nn.Embedding(self.cond.size + 1, features) if self.cond is not None else None

    def forward(self, x: Any, cond: Tensor | None = None) -> Tensor:
        h = x  # [B, C, H, W]
        for level in self.levels:
            h = nn.functional.leaky_relu(level(h), 0.2)
        h = h.flatten(1)  # [B, features]
        logits = self.head(h).squeeze(1)  # [B]
        if self.label is None or self.cond is None:
            return logits
        told = torch.full(x.shape[:1], self.cond.null, device=x.device) if cond is None else cond
        return logits + (h * self.label(told)).sum(1)  # a projection (Miyato and Koyama 2018, arXiv:1802.05637)
