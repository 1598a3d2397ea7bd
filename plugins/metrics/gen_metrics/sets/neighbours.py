"""Distances between the points of two sets, in pieces that fit in memory.

Shapes: N points of one set, M of the other, D features. Direct differences, not |x|² - 2xy + |y|²: a point is at
distance 0 from itself, exactly.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

__all__ = ["distances", "matches", "nearest", "radii"]

PIECE = 512


def distances(x: Tensor, y: Tensor) -> Iterator[Tensor]:
    """Euclidean distances of x [N, D] to y [M, D], as pieces [n, M] of consecutive rows."""
    for piece in x.split(PIECE):
        yield torch.cdist(piece, y, compute_mode="donot_use_mm_for_euclid_dist")


def radii(x: Tensor, k: int) -> Tensor:
    """The distance of every point of x [N, D] to its k-th nearest neighbour, itself not counted: [N]. Needs N > k."""
    return torch.cat([piece.kthvalue(k + 1, dim=1).values for piece in distances(x, x)])


def nearest(x: Tensor, y: Tensor) -> Tensor:
    """The distance of every point of x [N, D] to the nearest of y [M, D]: [N]."""
    return matches(x, y)[0]


def matches(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The distance [N] of every point of x [N, D] to the nearest of y [M, D], and the number [N] of that one in y.

    Found by squared distances through a matrix product, which is fast for many points, then measured directly.
    """
    found, numbers = [], []
    square = y.square().sum(1)  # [M]
    for piece in x.split(PIECE):
        best = (square - 2 * piece @ y.T).argmin(1)  # [n]
        found.append((piece - y[best]).square().sum(1).sqrt())
        numbers.append(best)
    return torch.cat(found), torch.cat(numbers)
