"""The data that a sampler starts from, and the refusal where none were given."""

from __future__ import annotations

from torch import Tensor

from gen.errors import GenError
from gen.types import Given

__all__ = ["starts"]


def starts(name: str, given: Given | None, cond: Tensor | None, count: int) -> tuple[Tensor, Tensor | None]:
    """The first `count` given samples [count, *shape] and their labels; fewer are used again from the start.

    Raises:
        GenError: nothing was given; the message names the sampler.
    """
    if given is None or given.x is None or not len(given.x):
        raise GenError(f"{name} starts from data: give it some as Given(x=...), [n, *shape] in the range of the data")
    x, known = given.x, len(given.x) if cond is None else min(len(given.x), len(cond))
    rows = [i % known for i in range(count)]
    return x[rows], None if cond is None else cond[rows]
