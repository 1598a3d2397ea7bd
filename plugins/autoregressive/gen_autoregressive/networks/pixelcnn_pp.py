"""PixelCNN++ (Salimans et al. 2017, arXiv:1701.05517): shifted convolutions, gated residual blocks, short cuts.

Two streams: u sees all rows above, ul besides the columns before in the own row; ul is told u at every block. The
second half of the blocks is also told what the first half made, last first. Everything is at one resolution: the
paper's strided blocks save training time and are left out, so that a cached step computes one pixel of every layer.
Shapes: F features, C channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen.component import component, option
from gen_autoregressive.causal import Apply, CausalConv, Pixels, Pointwise, RowConv, Rows, whole
from gen_autoregressive.labels import Labels, shifted
from gen_autoregressive.raster import ChannelHead, RasterNetwork, Walk, per_factor

__all__ = ["PixelCNNPP"]


def concat_elu(x: Tensor) -> Tensor:
    """elu of x and of -x, [B, F, …] → [B, 2F, …]."""
    return F.elu(torch.cat([x, -x], 1))


class Gated(nn.Module):
    """x + a sigmoid(b), where a and b come of two convolutions; `aux` features of another stream join between them."""

    def __init__(self, width: int, aux: int, down: bool, dropout: float) -> None:
        super().__init__()
        self.first = _conv(2 * width, width, down)
        self.aux = Pointwise(2 * aux, width) if aux else None
        self.second = _conv(2 * width, 2 * width, down)
        self.drop = nn.Dropout(dropout) if dropout else nn.Identity()

    def run(self, x: Tensor, aux: Tensor | None, shift: Tensor | None, apply: Apply) -> Tensor:
        """Maps, rows or pixels [B, F, …], as `apply` applies layers."""
        h = apply(self.first, concat_elu(x))
        if aux is not None:
            h = h + apply(self.aux, concat_elu(aux))
        h = shifted(apply(self.second, self.drop(concat_elu(h))), shift)
        a, b = h.chunk(2, 1)
        return x + a * b.sigmoid()


def _conv(inputs: int, outputs: int, down: bool) -> RowConv | CausalConv:
    """Shifted down (two rows, three columns), or down and right (two rows, two columns)."""
    if down:
        return RowConv(inputs, outputs, up=1, side=1)
    return CausalConv(inputs, outputs, up=1, left=1, right=0, own=True)


@component
class PixelCNNPP(RasterNetwork):
    """PixelCNN++: gated residual blocks of shifted convolutions in two streams, with short cuts."""

    example: ClassVar[dict[str, Any]] = {"width": 6, "depth": 1, "hidden": 8}
    width: int = option(48, min=1, max=4096, doc="features F of each stream")
    depth: int = option(4, min=1, max=100, doc="blocks of each half")
    hidden: int = option(64, min=1, max=65_536, doc="features of the layer before the output")
    dropout: float = option(0.0, min=0, below=1, doc="share of features that training drops in every block")

    def build(self) -> None:
        per = per_factor("autoregressive/pixelcnn-pp", self.in_shape, self.out_shape)
        channels, wide, drop, count = self.in_shape[0], self.width, self.dropout, 2 * self.depth
        self.enter_down = RowConv(channels, wide, up=1, side=1)  # of the rows above
        self.enter_above = RowConv(channels, wide, up=0, side=1)  # of the row above
        self.enter_left = CausalConv(channels, wide, up=1, left=1, right=0, own=False)
        second = [number >= self.depth for number in range(count)]  # told the first half by short cuts
        self.down = nn.ModuleList(Gated(wide, wide * late, True, drop) for late in second)
        self.right = nn.ModuleList(Gated(wide, wide * (1 + late), False, drop) for late in second)
        self.labels = Labels("autoregressive/pixelcnn-pp", self.cond, [2 * wide] * (2 * count))
        self.head = ChannelHead(wide, self.hidden, channels, per)

    def features(self, x: Tensor, cond: Tensor | None) -> Tensor:
        shifts = self.labels(len(x), cond)
        above = F.pad(x, (0, 0, 1, 0))[:, :, :-1]  # a row down: all that follows sees rows above
        downs = self._down(above, shifts, whole)
        first = self.enter_left(x) + self.enter_above(above)
        return self._right(first, downs, shifts, whole)

    def walk(self, batch: int, cond: Tensor | None) -> Walk:
        return PixelCNNPPWalk(self, batch, self.labels(batch, cond))

    def _down(self, above: Tensor, shifts: Sequence[Tensor | None], apply: Apply) -> list[Tensor]:
        """The stream u after each block, from the image moved a row down."""
        u = apply(self.enter_down, above)
        made, cuts = [], [u]
        for number, block in enumerate(self.down):
            u = block.run(u, cuts.pop() if number >= self.depth else None, shifts[number], apply)
            made.append(u)
            if number < self.depth - 1:
                cuts.append(u)
        return made

    def _right(self, ul: Tensor, downs: Sequence[Tensor], shifts: Sequence[Tensor | None], apply: Apply) -> Tensor:
        """The stream ul after all blocks, told u at each."""
        cuts = [ul]
        for number, (block, u) in enumerate(zip(self.right, downs, strict=True)):
            aux = u if number < self.depth else torch.cat([u, cuts.pop()], 1)
            ul = block.run(ul, aux, shifts[len(downs) + number], apply)
            if number < self.depth - 1:
                cuts.append(ul)
        return ul


class PixelCNNPPWalk:
    """PixelCNN++, one pixel after another; the stream u takes a row at once."""

    def __init__(self, network: PixelCNNPP, batch: int, shifts: Sequence[Tensor | None]) -> None:
        channels, _, columns = network.in_shape
        self.network, self.shifts = network, shifts
        self.pixels, self.rows = Pixels(batch, columns), Rows(batch)
        self.row = next(network.parameters()).new_zeros(batch, channels, 1, columns)  # the one above, then the own

    def __call__(self, row: int, column: int, before: Tensor | None) -> Tensor:
        network = self.network
        if before is not None:
            self.row[:, :, 0, column - 1] = before  # column 0 follows the last one
        if column == 0:
            above = self.row.clone()
            streams = [self.rows(network.enter_above, above), *network._down(above, self.shifts, self.rows)]
            self.above, *self.downs = [one.squeeze(2).permute(2, 0, 1).contiguous() for one in streams]  # [W, B, F]
        self.pixels.to(row, column)
        first = self.pixels.before(network.enter_left, before) + self.above[column]
        return network._right(first, [down[column] for down in self.downs], self.shifts, self.pixels)
