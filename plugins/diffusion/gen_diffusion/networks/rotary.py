"""Positions as rotations (Su et al. 2021, arXiv:2104.09864), axial in 2-D (Heo et al. 2024, arXiv:2403.13298).

Half of a head's numbers turn with the row of their token, half with its column: pairs of numbers, each pair at its own
rate. A product of a query and a key then depends on how far apart the two tokens lie, and not on where.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["angles", "rotate"]

SLOWEST = 1 / 100
"""Radians per token of the slowest pair; the fastest turns by one radian (Heo et al. 2024 for images)."""


def angles(rows: int, columns: int, size: int) -> Tensor:
    """cos and sin of the turn of every number of a head, [2, rows columns, size]; size divides by 4."""
    rates = SLOWEST ** (torch.arange(size // 4) / (size // 4))  # [size / 4]
    row, column = (torch.arange(n)[:, None] * rates for n in (rows, columns))
    row = row[:, None].expand(-1, columns, -1).flatten(0, 1)  # [rows columns, size / 4]
    column = column.repeat(rows, 1)
    turns = torch.cat([row, column], dim=1).repeat(1, 2)  # number i and number i + size / 2 make a pair
    return torch.stack([turns.cos(), turns.sin()])


def rotate(x: Tensor, turns: Tensor) -> Tensor:
    """x [..., N, size], every pair of its numbers turned by its angle."""
    cos, sin = turns
    first, second = x.chunk(2, dim=-1)
    turned: Tensor = x * cos + torch.cat([-second, first], dim=-1) * sin
    return turned
