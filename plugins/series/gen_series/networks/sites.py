"""Data of any shape as one sequence: positions in raster order, channels inside a position.

Shapes: B batch, C channels, N values, K numbers of a factor, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gen.errors import ShapeError
from gen.types import CondSpec, Shape

__all__ = ["Labels", "joined", "numbers_of", "shifted"]


def numbers_of(in_shape: Shape, out_shape: Shape) -> int:
    """K, the numbers of a factor: what comes in is (C, …), what goes out (K C, …).

    Raises:
        ShapeError: the output is no multiple of the input along the channels.
    """
    if not in_shape or tuple(out_shape[1:]) != tuple(in_shape[1:]) or out_shape[0] % in_shape[0]:
        raise ShapeError(f"an autoregressor over {in_shape} puts out (K C, …) with the same sides, not {out_shape}")
    return out_shape[0] // in_shape[0]


def shifted(x: Tensor) -> Tensor:
    """Data [B, C, …] → what is known before each of their values: [B, N, 2], the value before and whether it is one."""
    flat = x.movedim(1, -1).flatten(1)  # [B, N]
    before = torch.cat([torch.zeros_like(flat[:, :1]), flat[:, :-1]], 1)
    there = torch.ones_like(before)
    there[:, 0] = 0
    return torch.stack([before, there], 2)


def joined(factors: Tensor, in_shape: Shape) -> Tensor:
    """Numbers of factors [B, N, K] → [B, K C, …], K outermost."""
    sites = factors.unflatten(1, (*in_shape[1:], in_shape[0]))  # [B, …, C, K]
    return sites.movedim((-1, -2), (1, 2)).flatten(1, 2)


class Labels(nn.Module):
    """A condition as a vector [B, D]: an embedding of labels (the null label serves none), or a map of vectors."""

    def __init__(self, spec: CondSpec, width: int) -> None:
        super().__init__()
        if spec.kind == "image":
            raise ShapeError("a forecaster takes labels or vectors as a condition, no images")
        self.spec = spec
        classes = spec.kind == "class"
        self.map: nn.Module = nn.Embedding(spec.size + 1, width) if classes else nn.Linear(spec.size, width)

    def forward(self, cond: Tensor | None, batch: int, like: Tensor) -> Tensor:
        if self.spec.kind == "class":
            null = torch.full((batch,), self.spec.null, device=like.device)
            return self.map(null if cond is None else cond)  # type: ignore[no-any-return]
        return self.map(like.new_zeros(batch, self.spec.size) if cond is None else cond)  # type: ignore[no-any-return]
