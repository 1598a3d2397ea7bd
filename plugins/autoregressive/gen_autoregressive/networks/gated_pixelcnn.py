"""Gated PixelCNN (van den Oord et al. 2016, Conditional Image Generation with PixelCNN Decoders, arXiv:1606.05328).

A vertical stack sees all rows above, a horizontal one the columns before in the own row and, at every layer, the
vertical stack one row up: together all pixels before, without a blind spot. Units are y = tanh(a) sigmoid(b).
Shapes: F features, C channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from gen.component import component, option
from gen_autoregressive.causal import Apply, CausalConv, Pixels, Pointwise, RowConv, Rows, whole
from gen_autoregressive.labels import Labels, shifted
from gen_autoregressive.raster import ChannelHead, RasterNetwork, Walk, per_factor

__all__ = ["GatedPixelCNN"]


class Layer(nn.Module):
    """The maps of one layer (figure 2 of the paper)."""

    def __init__(self, inputs: tuple[int, int], width: int, reach: int, first: bool) -> None:
        super().__init__()
        below, before = inputs  # features of the vertical and of the horizontal stack
        self.down = RowConv(below, 2 * width, up=reach, side=reach)
        self.across = CausalConv(before, 2 * width, up=0, left=reach, right=0, own=not first)
        self.join = Pointwise(2 * width, 2 * width, bias=False)
        self.out = Pointwise(width, 2 * width)  # what the horizontal stack adds, and what goes to the head


def gated(x: Tensor) -> Tensor:
    """tanh(a) sigmoid(b), [B, 2F, …] → [B, F, …]."""
    a, b = x.chunk(2, 1)
    return a.tanh() * b.sigmoid()


@component
class GatedPixelCNN(RasterNetwork):
    """Gated PixelCNN: vertical and horizontal stacks, gated units, no blind spot; labels shift every gate."""

    example: ClassVar[dict[str, Any]] = {"width": 6, "depth": 2, "size": 5, "hidden": 8}
    width: int = option(64, min=1, max=4096, doc="features F of each stack")
    depth: int = option(10, min=1, max=100, doc="layers")
    size: int = option(7, min=3, max=31, doc="side of the first kernel, odd; the others are 3x3")
    hidden: int = option(64, min=1, max=65_536, doc="features of the layer before the output")

    def build(self) -> None:
        per = per_factor("autoregressive/gated-pixelcnn", self.in_shape, self.out_shape)
        channels, wide = self.in_shape[0], self.width
        first = Layer((channels, channels), wide, self.size // 2, first=True)
        later = (Layer((wide, wide), wide, 1, first=False) for _ in range(self.depth - 1))
        self.layers = nn.ModuleList([first, *later])
        self.labels = Labels("autoregressive/gated-pixelcnn", self.cond, [2 * wide] * (2 * self.depth))
        self.head = ChannelHead(wide, self.hidden, channels, per)

    def features(self, x: Tensor, cond: Tensor | None) -> Tensor:
        shifts = self.labels(len(x), cond)
        above = [F.pad(joined, (0, 0, 1, 0))[:, :, :-1] for joined in self._vertical(x, shifts, whole)]  # a row down
        return self._horizontal(self.layers[0].across(x), above, shifts, whole)

    def walk(self, batch: int, cond: Tensor | None) -> Walk:
        return GatedWalk(self, batch, self.labels(batch, cond))

    def _vertical(self, x: Tensor, shifts: Sequence[Tensor | None], apply: Apply) -> list[Tensor]:
        """What the vertical stack tells the horizontal one, for each layer: [B, 2F, H, W], of rows up to the own."""
        told = []
        for layer, shift in zip(self.layers, shifts[: self.depth], strict=True):
            x = shifted(apply(layer.down, x), shift)  # [B, 2F, H, W]
            told.append(apply(layer.join, x))
            x = gated(x)
        return told

    def _horizontal(
        self, first: Tensor, above: Sequence[Tensor], shifts: Sequence[Tensor | None], apply: Apply
    ) -> Tensor:
        """The head's features: the sum of what all layers put out. `first` is the first layer's look across."""
        h: Tensor | None = None
        total: Tensor | None = None
        for layer, told, shift in zip(self.layers, above, shifts[self.depth :], strict=True):
            look = first if h is None else apply(layer.across, h)
            step, out = apply(layer.out, gated(shifted(look + told, shift))).chunk(2, 1)
            h = step if h is None else h + step
            total = out if total is None else total + out
        assert total is not None, "there is a layer"
        return total


class GatedWalk:
    """Gated PixelCNN, one pixel after another; the vertical stack takes a row at once, when it is complete."""

    def __init__(self, network: GatedPixelCNN, batch: int, shifts: Sequence[Tensor | None]) -> None:
        channels, _, columns = network.in_shape
        self.network, self.shifts = network, shifts
        self.pixels, self.rows = Pixels(batch, columns), Rows(batch)
        like = next(network.parameters())
        self.row = like.new_zeros(batch, channels, 1, columns)  # the row that is being filled
        nothing = like.new_zeros(columns, batch, 2 * network.width)  # above the first row
        self.above = [nothing] * network.depth

    def __call__(self, row: int, column: int, before: Tensor | None) -> Tensor:
        if before is not None:
            self.row[:, :, 0, column - 1] = before  # column 0 follows the last one
        if row and column == 0:
            told = self.network._vertical(self.row.clone(), self.shifts, self.rows)  # each [B, 2F, 1, W]
            self.above = [one.squeeze(2).permute(2, 0, 1).contiguous() for one in told]
        self.pixels.to(row, column)
        first = self.pixels.before(self.network.layers[0].across, before)  # [B, 2F]
        above = [told[column] for told in self.above]
        return self.network._horizontal(first, above, self.shifts, self.pixels)
