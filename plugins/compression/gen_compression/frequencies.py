"""Chances as whole numbers, so that encoder and decoder divide an interval at the very same places.

    c_0 = 0,   c_j = floor(F_j (2^24 - K)) + j,   c_K = 2^24

F the cumulated chances. A symbol's frequency c_j - c_(j-1) is at least 1, whatever its chance, so that none costs more
than 24 bits; it is off by at most two and K chances of it. Everything is float64 on the CPU, where whole numbers of
this size are exact. Shapes: n values, K symbols.
"""

from __future__ import annotations

from torch import Tensor

from gen.errors import DataError

__all__ = ["TOTAL", "above_one"]

TOTAL = 2**24
"""What the frequencies of a value sum to: the precision of constriction's coders."""


def above_one(chances: Tensor) -> Tensor:
    """Chances [n, K] → what each frequency has above 1, whole numbers [n, K] in float64 that sum to 2^24 - K.

    Handed to constriction as unnormalised weights, this is what it makes frequencies of without rounding: it gives
    every symbol 1 and divides the other 2^24 - K in proportion, here by a factor of exactly 1.

    Raises:
        DataError: a chance is negative or no number.
    """
    below = chances.detach().cpu().double().cumsum(1)  # [n, K]
    free = TOTAL - chances.shape[1]
    if not bool(below[:, -1].isfinite().all()) or bool((below[:, -1] <= 0).any()) or bool((chances < 0).any()):
        raise DataError("the model gives chances that are none (negative, or no numbers): its weights are of no use")
    edges = (below / below[:, -1:] * free).floor()
    edges[:, -1] = free
    return edges.diff(dim=1, prepend=edges.new_zeros(len(edges), 1))
