"""How the networks are told a condition: a shift for each stage, an affine function of the label's embedding."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gen.errors import ShapeError
from gen.types import CondSpec

__all__ = ["Labels", "shifted"]

EMBEDDING = 64
"""The largest size of a label's embedding."""


class Labels(nn.Module):
    """A condition → one shift [B, width] per stage; None for each, and no parameters, without a condition.

    Labels [B] below `size` are embedded; the embedding has one row more, for the null label `size`. Vectors [B, size]
    are projected, their null is the zero vector. `cond=None` means null for every sample.

    Raises:
        ShapeError: the condition is an image.
    """

    def __init__(self, title: str, spec: CondSpec | None, widths: Sequence[int]) -> None:
        super().__init__()
        self.spec, self.widths = spec, list(widths)
        if spec is None:
            return
        if spec.kind == "image":
            raise ShapeError(f"{title} can be told a class or a vector, not an image: wire it without the condition")
        features = spec.size if spec.kind == "vector" else min(EMBEDDING, spec.size + 1)
        self.embedding = nn.Embedding(spec.size + 1, features) if spec.kind == "class" else None
        self.projection = nn.Linear(features, sum(widths), bias=False)

    def forward(self, batch: int, cond: Tensor | None) -> Sequence[Tensor | None]:
        """The shifts for a batch of this size."""
        if self.spec is None:
            return [None] * len(self.widths)
        weight = self.projection.weight
        if self.embedding is not None:
            null = torch.full((batch,), self.spec.null, device=weight.device)
            code = self.embedding(null if cond is None else cond)  # [B, features]
        else:
            code = weight.new_zeros(batch, self.spec.size) if cond is None else cond.to(weight.dtype)
        return self.projection(code).split(self.widths, dim=1)


def shifted(x: Tensor, shift: Tensor | None) -> Tensor:
    """x + shift, for maps [B, F, H, W] or pixels [B, F] and shifts [B, F]."""
    if shift is None:
        return x
    return x + shift[(...,) + (None,) * (x.ndim - 2)]
