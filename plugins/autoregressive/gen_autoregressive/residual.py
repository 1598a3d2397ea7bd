"""A first look back, then residual layers x + widen(layer(x)): the body of both PixelRNNs.

Shapes: B batch, U units of a layer, C channels.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from torch import Tensor, nn

from gen.types import CondSpec
from gen_autoregressive.causal import Apply, CausalConv, Pixels, Pointwise, whole
from gen_autoregressive.labels import Labels, shifted
from gen_autoregressive.raster import Walk

__all__ = ["ResidualStack"]


class ResidualStack(nn.Module):
    """[B, C, H, W] → [B, 2U, H, W]; layers go from 2U to U features, and a label shifts what they put out."""

    def __init__(
        self, title: str, first: CausalConv, layers: Sequence[nn.Module], units: int, cond: CondSpec | None
    ) -> None:
        super().__init__()
        self.first, self.layers = first, nn.ModuleList(layers)
        self.widen = nn.ModuleList(Pointwise(units, 2 * units) for _ in layers)
        self.labels = Labels(title, cond, [units] * len(layers))

    def forward(self, x: Tensor, cond: Tensor | None) -> Tensor:
        return self.run(self.first(x), self.labels(len(x), cond), whole)

    def walk(self, batch: int, cond: Tensor | None, columns: int) -> Walk:
        return StackWalk(self, self.labels(batch, cond), Pixels(batch, columns))

    def run(self, h: Tensor, shifts: Sequence[Tensor | None], apply: Apply) -> Tensor:
        """Maps [B, 2U, H, W] or pixels [B, 2U] through all layers."""
        for layer, widen, shift in zip(self.layers, self.widen, shifts, strict=True):
            h = h + apply(widen, shifted(apply(layer, h), shift))
        return h


@attrs.define
class StackWalk:
    """The stack, one pixel after another."""

    stack: ResidualStack
    shifts: Sequence[Tensor | None]
    pixels: Pixels

    def __call__(self, row: int, column: int, before: Tensor | None) -> Tensor:
        self.pixels.to(row, column)
        first = self.pixels.before(self.stack.first, before)  # [B, 2U]
        return self.stack.run(first, self.shifts, self.pixels)
