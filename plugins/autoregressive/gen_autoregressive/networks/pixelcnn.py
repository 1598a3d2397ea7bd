"""PixelCNN (van den Oord et al. 2016, Pixel Recurrent Neural Networks, arXiv:1601.06759, section 3.5).

A first convolution with mask A, then residual blocks whose 3x3 convolution has mask B. Shapes: F features, C channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import attrs
from torch import Tensor, nn

from gen.component import component, option
from gen_autoregressive.causal import Apply, CausalConv, Pixels, Pointwise, whole
from gen_autoregressive.labels import Labels, shifted
from gen_autoregressive.raster import ChannelHead, RasterNetwork, Walk, per_factor

__all__ = ["PixelCNN"]


class Block(nn.Module):
    """The layers of a residual block: 2F → F → F → 2F."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.narrow = Pointwise(2 * width, width)
        self.look = CausalConv(width, width, up=1, left=1, right=1, own=True)
        self.widen = Pointwise(width, 2 * width)


@component
class PixelCNN(RasterNetwork):
    """PixelCNN: masked convolutions. Its masks leave a blind spot to the upper right, which gated-pixelcnn closes."""

    example: ClassVar[dict[str, Any]] = {"width": 6, "depth": 2, "size": 5, "hidden": 8}
    width: int = option(
        32, min=1, max=4096, doc="features F of a block's 3x3 convolution; between blocks twice as many"
    )
    depth: int = option(12, min=1, max=100, doc="residual blocks")
    size: int = option(7, min=3, max=31, doc="side of the first kernel, odd")
    hidden: int = option(64, min=1, max=65_536, doc="features of the layer before the output")

    def build(self) -> None:
        per = per_factor("autoregressive/pixelcnn", self.in_shape, self.out_shape)
        reach, wide = self.size // 2, 2 * self.width
        self.first = CausalConv(self.in_shape[0], wide, up=reach, left=reach, right=reach, own=False)
        self.blocks = nn.ModuleList(Block(self.width) for _ in range(self.depth))
        self.labels = Labels("autoregressive/pixelcnn", self.cond, [self.width] * self.depth)
        self.head = ChannelHead(wide, self.hidden, self.in_shape[0], per)

    def features(self, x: Tensor, cond: Tensor | None) -> Tensor:
        return self._blocks(self.first(x), self.labels(len(x), cond), whole)

    def walk(self, batch: int, cond: Tensor | None) -> Walk:
        return PixelCNNWalk(self, self.labels(batch, cond), Pixels(batch, self.in_shape[2]))

    def _blocks(self, h: Tensor, shifts: Sequence[Tensor | None], apply: Apply) -> Tensor:
        """Maps [B, 2F, H, W] or pixels [B, 2F] through all blocks."""
        for block, shift in zip(self.blocks, shifts, strict=True):
            narrow = shifted(apply(block.narrow, h.relu()), shift)
            h = h + apply(block.widen, apply(block.look, narrow.relu()).relu())
        return h


@attrs.define
class PixelCNNWalk:
    """PixelCNN, one pixel after another."""

    network: PixelCNN
    shifts: Sequence[Tensor | None]
    pixels: Pixels

    def __call__(self, row: int, column: int, before: Tensor | None) -> Tensor:
        self.pixels.to(row, column)
        first = self.pixels.before(self.network.first, before)  # [B, 2F]
        return self.network._blocks(first, self.shifts, self.pixels)
