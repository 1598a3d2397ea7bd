"""PixelRNN with Diagonal BiLSTM layers (van den Oord et al. 2016, Pixel Recurrent Neural Networks, arXiv:1601.06759).

A first convolution with mask A, then residual recurrent layers. Shapes: U units, C channels.
"""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from gen.component import component, option
from gen_autoregressive.causal import CausalConv
from gen_autoregressive.raster import ChannelHead, RasterNetwork, Walk, per_factor
from gen_autoregressive.recurrent import DiagonalLSTM
from gen_autoregressive.residual import ResidualStack

__all__ = ["PixelRNNDiagonal"]


@component
class PixelRNNDiagonal(RasterNetwork):
    """Diagonal BiLSTM: sees all pixels before, in twice as many sequential steps."""

    example: ClassVar[dict[str, Any]] = {"width": 4, "depth": 2, "size": 5, "hidden": 8}
    width: int = option(32, min=1, max=4096, doc="units U of a layer; between layers there are twice as many features")
    depth: int = option(4, min=1, max=100, doc="recurrent layers")
    size: int = option(7, min=3, max=31, doc="side of the first kernel, odd")
    hidden: int = option(64, min=1, max=65_536, doc="features of the layer before the output")

    def build(self) -> None:
        per = per_factor("autoregressive/pixelrnn-diagonal", self.in_shape, self.out_shape)
        reach, wide = self.size // 2, 2 * self.width
        first = CausalConv(self.in_shape[0], wide, up=reach, left=reach, right=reach, own=False)
        layers = [DiagonalLSTM(wide, self.width) for _ in range(self.depth)]
        self.body = ResidualStack("autoregressive/pixelrnn-diagonal", first, layers, self.width, self.cond)
        self.head = ChannelHead(wide, self.hidden, self.in_shape[0], per)

    def features(self, x: Tensor, cond: Tensor | None) -> Tensor:
        return self.body(x, cond)

    def walk(self, batch: int, cond: Tensor | None) -> Walk:
        return self.body.walk(batch, cond, self.in_shape[2])
