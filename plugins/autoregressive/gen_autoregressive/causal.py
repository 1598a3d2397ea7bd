"""Convolutions that look back: over whole maps, and one pixel (or one row) after another.

A pixel after another keeps the rows that a kernel needs in a ring, and gathers one window for one matrix product.
Shapes: B batch, F input and G output features, W columns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Apply", "CausalConv", "Pixels", "Pointwise", "RowConv", "Rows", "whole"]

Apply = Callable[[Any, Tensor], Tensor]
"""How a network applies one of its layers: to whole maps, to one row, or to one pixel of them."""


def whole(layer: Any, x: Tensor) -> Tensor:
    """Applies a layer to whole maps."""
    return layer(x)


class CausalConv(nn.Module):
    """A convolution over the rows `up` above and the columns from `left` before to `right` behind.

    In its own row it sees the columns before, and its own pixel if `own` (mask B of van den Oord et al. 2016, else A).
    """

    def __init__(self, inputs: int, outputs: int, *, up: int, left: int, right: int, own: bool) -> None:
        super().__init__()
        self.up, self.left, self.right, self.own = up, left, right, own
        self.conv = nn.Conv2d(inputs, outputs, (up + 1, left + right + 1))

    def forward(self, x: Tensor) -> Tensor:
        weight = self.conv.weight
        if self.right or not self.own:
            mask = torch.ones_like(weight[:1, :1])  # [1, 1, rows, columns]
            mask[..., -1, self.left + self.own :] = 0
            weight = weight * mask
        return F.conv2d(F.pad(x, (self.left, self.right, self.up, 0)), weight, self.conv.bias)

    def pixel(self, batch: int, columns: int) -> Ring:
        return Ring(self, batch, columns)


class Ring:
    """A causal convolution one pixel after another."""

    def __init__(self, layer: CausalConv, batch: int, columns: int) -> None:
        weight = layer.conv.weight  # [G, F, rows, columns]
        self.layer, self.bias = layer, layer.conv.bias
        self.last = layer.left + layer.own  # columns seen in the own row
        taps = [row if i < layer.up else row[..., : self.last] for i, row in enumerate(weight.unbind(2))]
        self.weight = torch.cat([row.movedim(-1, 1).flatten(1) for row in taps], 1).T.contiguous()  # [taps F, G]
        padded = layer.left + columns + layer.right
        self.rows = [weight.new_zeros(batch, padded, weight.shape[1]) for _ in range(layer.up + 1)]

    def put(self, row: int, column: int, x: Tensor) -> None:
        """Remembers the pixel x [B, F]."""
        self.rows[row % len(self.rows)][:, column + self.layer.left] = x

    def at(self, row: int, column: int) -> Tensor:
        """The output [B, G] at a pixel, from what is remembered."""
        layer, rows = self.layer, self.rows
        end = column + layer.left + layer.right + 1
        window = [rows[(row - up) % len(rows)][:, column:end].flatten(1) for up in range(layer.up, 0, -1)]
        if self.last:
            window.append(rows[row % len(rows)][:, column : column + self.last].flatten(1))
        return torch.addmm(self.bias, window[0] if len(window) == 1 else torch.cat(window, 1), self.weight)

    def __call__(self, x: Tensor, row: int, column: int) -> Tensor:
        self.put(row, column, x)
        return self.at(row, column)


class Pointwise(nn.Module):
    """A convolution of one pixel: a linear map of the features."""

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)

    def row(self, batch: int) -> Callable[[Tensor], Tensor]:
        return self.conv

    def pixel(self, batch: int, columns: int) -> Callable[[Tensor, int, int], Tensor]:
        weight, bias = self.conv.weight[:, :, 0, 0], self.conv.bias
        return lambda x, row, column: F.linear(x, weight, bias)


class RowConv(nn.Module):
    """A convolution over whole rows: the `up` rows above and the own one, `side` columns to either side."""

    def __init__(self, inputs: int, outputs: int, *, up: int, side: int) -> None:
        super().__init__()
        self.up, self.side = up, side
        self.conv = nn.Conv2d(inputs, outputs, (up + 1, 2 * side + 1), padding=(0, side))

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (0, 0, self.up, 0)))

    def row(self, batch: int) -> Callable[[Tensor], Tensor]:
        """The same, one row [B, F, 1, W] after another."""
        above: list[Tensor] = []

        def run(x: Tensor) -> Tensor:
            above[:] = [*(above or [torch.zeros_like(x)] * self.up), x]
            out = self.conv(torch.cat(above, 2))
            del above[0]
            return out

        return run


class Pixels:
    """Applies layers to one pixel [B, F] after another; `to` says to which."""

    def __init__(self, batch: int, columns: int) -> None:
        self.batch, self.columns = batch, columns
        self.layers: dict[Any, Any] = {}
        self.row = self.column = 0

    def to(self, row: int, column: int) -> None:
        self.row, self.column = row, column

    def before(self, layer: CausalConv, pixel: Tensor | None) -> Tensor:
        """The output of a layer that does not see its own pixel, given the pixel before it (None for the first)."""
        ring = self._of(layer)
        if pixel is not None:
            site = self.row * self.columns + self.column - 1
            ring.put(*divmod(site, self.columns), pixel)
        return ring.at(self.row, self.column)

    def __call__(self, layer: Any, x: Tensor) -> Tensor:
        return self._of(layer)(x, self.row, self.column)

    def _of(self, layer: Any) -> Any:
        if layer not in self.layers:
            self.layers[layer] = layer.pixel(self.batch, self.columns)
        return self.layers[layer]


class Rows:
    """Applies layers to one row [B, F, 1, W] after another, in order."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.layers: dict[Any, Any] = {}

    def __call__(self, layer: Any, x: Tensor) -> Tensor:
        if layer not in self.layers:
            self.layers[layer] = layer.row(self.batch)
        return self.layers[layer](x)
