"""The order of factors: raster, channels inside a pixel. Position of a value = (row W + column) C + channel.

A network puts out the K numbers of every factor along the channels, (K C, H, W), K outermost.
Shapes: B batch, C channels, H W sides, N = C H W values, K numbers per factor.
"""

from __future__ import annotations

from torch import Tensor

from gen.types import Shape

__all__ = ["factors", "images", "maps", "values"]


def values(x: Tensor) -> Tensor:
    """Images [B, C, H, W] as their values in order, [B, N]."""
    return x.movedim(1, -1).flatten(1)


def images(row: Tensor, shape: Shape) -> Tensor:
    """The inverse of `values`: [B, N] → [B, *shape]."""
    channels, height, width = shape
    return row.view(-1, height, width, channels).movedim(-1, 1).contiguous()


def factors(output: Tensor, channels: int) -> Tensor:
    """What a network puts out, [B, K C, H, W], factor by factor: [B, N, K]."""
    split = output.unflatten(1, (-1, channels))  # [B, K, C, H, W]
    return split.permute(0, 3, 4, 2, 1).flatten(1, 3)


def maps(rows: Tensor, shape: Shape) -> Tensor:
    """The inverse of `factors`: [B, N, K] → [B, K C, H, W]."""
    channels, height, width = shape
    split = rows.view(len(rows), height, width, channels, -1)
    return split.permute(0, 4, 3, 1, 2).flatten(1, 2)
