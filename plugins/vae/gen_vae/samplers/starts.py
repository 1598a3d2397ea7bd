"""The data that a sampler starts from, and the refusal where none were given."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from gen.errors import GenError
from gen.types import Given

__all__ = ["real_codes", "starts"]


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


def real_codes(model: Any, x: Tensor, cond: Tensor | None) -> Tensor:
    """The codes [n, *z] of x, of which means and paths make sense.

    Raises:
        GenError: the model's codes are tokens, whole numbers whose order means nothing.
    """
    z = model.encode(x, cond)
    if not z.is_floating_point():
        raise GenError("this sampler moves between codes, and this model's codes are tokens: try vae/reconstruct")
    return z
