"""How networks are told a condition: each stage adds a shift that depends on it, after its norm, before its activation.

In a perceptron that equals joining the condition to the input of every hidden layer; in a convolutional network it is
a bias per level and channel. After the norm, because a norm would take part of the shift away again.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gen.errors import ShapeError
from gen.types import CondSpec
from gen_nets.layers import linear

__all__ = ["EMBEDDING", "Condition"]

EMBEDDING = 128
"""The largest size of the embedding of a class label, before it is projected to the widths of the stages."""


class Condition(nn.Module):
    """A condition → one shift per stage: [B, width, 1, 1] for the first `maps` stages, [B, width] for the others.

    Labels [B] below `size` are embedded; the embedding has one row more, for the null label `size`. Vectors [B, size]
    are projected; their null is the zero vector, which shifts nothing. `cond=None` means null for every sample.
    Without a spec there are no parameters, whatever comes as `cond` is ignored, and every shift is None.

    Raises:
        ShapeError: the condition is an image.
    """

    def __init__(self, title: str, spec: CondSpec | None, widths: Sequence[int], maps: int) -> None:
        super().__init__()
        self.told, self.maps, self.widths = spec is not None, maps, list(widths)
        self.unshifted = (None,) * len(self.widths)
        if spec is None:
            return
        if spec.kind == "image":
            raise ShapeError(f"{title} can be told a class or a vector, not an image: wire it without the condition")
        if not widths:
            raise ShapeError(f"{title} has no hidden layer that could be told the condition: give `hidden` a width")
        self.size, self.null = spec.size, spec.null
        features = spec.size if spec.kind == "vector" else min(EMBEDDING, spec.size + 1)  # more would add nothing
        self.embedding = nn.Embedding(spec.size + 1, features) if spec.kind == "class" else None
        self.projection = linear(features, sum(widths), bias=False)

    def forward(self, x: Tensor, cond: Tensor | None) -> Sequence[Tensor | None]:
        """The shifts for the batch `x` [B, ...], whose size and device serve where `cond` is None."""
        if not self.told:
            return self.unshifted
        if self.embedding is not None:
            labels = torch.full(x.shape[:1], self.null, device=x.device) if cond is None else cond  # [B]
            code = self.embedding(labels)  # [B, features]
        else:
            code = x.new_zeros(x.shape[0], self.size) if cond is None else cond  # [B, size]
            code = code.to(self.projection.weight.dtype)
        shifts: Tensor = self.projection(code)  # [B, sum of widths]
        parts = shifts.split(self.widths, dim=1)
        return [part[:, :, None, None] if stage < self.maps else part for stage, part in enumerate(parts)]
