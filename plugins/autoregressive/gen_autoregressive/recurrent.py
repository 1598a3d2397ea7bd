"""The recurrent layers of PixelRNN, over whole maps and one pixel after another (van den Oord et al. 2016).

    i, f, o = sigmoid, g = tanh of (input-to-state + state-to-state);   c = f c_before + i g;   h = o tanh(c)

Row LSTM: a whole row at once, from the states of the row above. Diagonal LSTM: a whole diagonal at once, from the
states to the left and above, by skewing the map: row r is moved r columns to the right, and a diagonal is a column.
Shapes: B batch, F input features, U units, H W sides.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen_autoregressive.causal import CausalConv

__all__ = ["DiagonalLSTM", "RowLSTM"]


def cell(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """h and c [B, U, …] from gates [B, 4U, …] and the c before."""
    i, f, o, g = gates.chunk(4, 1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


class RowLSTM(nn.Module):
    """[B, F, H, W] → [B, U, H, W]: h of a pixel sees its row up to itself, and a triangle above it."""

    def __init__(self, inputs: int, units: int, side: int = 1) -> None:
        super().__init__()
        self.units, self.side = units, side
        self.enter = CausalConv(inputs, 4 * units, up=0, left=side, right=0, own=True)
        self.state = nn.Conv1d(units, 4 * units, 2 * side + 1, padding=side, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        entered = self.enter(x)  # [B, 4U, H, W]
        h = c = entered.new_zeros(len(x), self.units, x.shape[3])
        rows = []
        for row in range(x.shape[2]):
            h, c = cell(entered[:, :, row] + self.state(h), c)
            rows.append(h)
        return torch.stack(rows, 2)

    def pixel(self, batch: int, columns: int) -> RowSteps:
        return RowSteps(self, batch, columns)


class RowSteps:
    """The Row LSTM one pixel after another: states of the row above, and of the one being made."""

    def __init__(self, layer: RowLSTM, batch: int, columns: int) -> None:
        self.layer, self.enter = layer, layer.enter.pixel(batch, columns)
        weight = layer.state.weight  # [4U, U, taps]
        self.weight = weight.transpose(1, 2).flatten(1)  # [4U, taps U]
        self.h = [weight.new_zeros(batch, columns + 2 * layer.side, layer.units) for _ in range(2)]  # padded
        self.c = [weight.new_zeros(batch, columns, layer.units) for _ in range(2)]

    def __call__(self, x: Tensor, row: int, column: int) -> Tensor:
        own, above = row % 2, 1 - row % 2
        seen = self.h[above][:, column : column + 2 * self.layer.side + 1].flatten(1)  # [B, taps U]
        gates = self.enter(x, row, column) + F.linear(seen, self.weight)
        h, self.c[own][:, column] = cell(gates, self.c[above][:, column])
        self.h[own][:, column + self.layer.side] = h
        return h


class DiagonalLSTM(nn.Module):
    """[B, F, H, W] → [B, U, H, W]: two LSTMs along the diagonals, from the upper left and from the upper right.

    The second one is moved a row down before they are added, so that h of a pixel sees the own row up to itself, and
    all rows above.
    """

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.left, self.right = Direction(inputs, units), Direction(inputs, units)

    def forward(self, x: Tensor) -> Tensor:
        right = self.right(x.flip(3)).flip(3)
        return self.left(x) + F.pad(right, (0, 0, 1, 0))[:, :, :-1]

    def pixel(self, batch: int, columns: int) -> DiagonalSteps:
        return DiagonalSteps(self, batch, columns)


class Direction(nn.Module):
    """An LSTM from the upper left: h of the pixels to the left and above, c of the one to the left."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.units = units
        self.enter = nn.Conv2d(inputs, 4 * units, 1)
        self.state = nn.Conv1d(units, 4 * units, 2, bias=False)  # taps: above, to the left

    def forward(self, x: Tensor) -> Tensor:
        height, columns = x.shape[2:]
        entered = skewed(self.enter(x))  # [B, 4U, H, H + W - 1]
        h = c = entered.new_zeros(len(x), self.units, height)
        row = torch.arange(height, device=x.device)
        made = []
        for diagonal in range(height + columns - 1):
            gates = entered[..., diagonal] + self.state(F.pad(h, (1, 0)))
            h, c = cell(gates, c)
            inside = (row <= diagonal).to(h.dtype)  # to the left of the image states are zero
            h, c = h * inside, c * inside
            made.append(h)
        return unskewed(torch.stack(made, -1), columns)


def skewed(x: Tensor) -> Tensor:
    """Row r moved r columns to the right: [..., H, W] → [..., H, H + W - 1]."""
    height, columns = x.shape[-2:]
    padded = F.pad(x, (0, height)).flatten(-2)  # rows of W + H, then read as rows of W + H - 1
    return padded[..., : height * (columns + height - 1)].unflatten(-1, (height, -1))


def unskewed(x: Tensor, columns: int) -> Tensor:
    """The inverse of `skewed`."""
    height = x.shape[-2]
    return F.pad(x.flatten(-2), (0, height)).unflatten(-1, (height, -1))[..., :columns]


class DiagonalSteps:
    """The Diagonal LSTM one pixel after another; the direction from the right takes complete rows at once."""

    def __init__(self, layer: DiagonalLSTM, batch: int, columns: int) -> None:
        weight = layer.left.enter.weight
        self.columns = columns
        self.left, self.right = (Cells(one, batch, columns) for one in (layer.left, layer.right))
        self.row = weight.new_zeros(columns, batch, weight.shape[1])  # the inputs of the row being made
        self.above = weight.new_zeros(columns, batch, layer.right.units)  # from the right, of the row above

    def __call__(self, x: Tensor, row: int, column: int) -> Tensor:
        if row and column == 0:
            for behind in reversed(range(self.columns)):
                self.above[behind] = self.right(self.row[behind], self.columns - 1 - behind)
        self.row[column] = x
        return self.left(x, column) + self.above[column]


class Cells:
    """One direction, one pixel after another from the left: h of the row above until it is overwritten by the own."""

    def __init__(self, layer: Direction, batch: int, columns: int) -> None:
        self.enter, self.bias = layer.enter.weight[:, :, 0, 0], layer.enter.bias
        self.up, self.beside = layer.state.weight.unbind(2)
        self.h = layer.enter.weight.new_zeros(columns, batch, layer.units)
        self.nothing = torch.zeros_like(self.h[0])

    def __call__(self, x: Tensor, column: int) -> Tensor:
        if column == 0:
            self.c = self.nothing
        left = self.h[column - 1] if column else self.nothing
        gates = F.linear(x, self.enter, self.bias) + F.linear(self.h[column], self.up) + F.linear(left, self.beside)
        h, self.c = cell(gates, self.c)
        self.h[column] = h
        return h
