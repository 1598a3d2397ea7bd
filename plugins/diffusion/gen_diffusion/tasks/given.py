"""The samples that a task starts from, and the refusal where none were given."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gen.errors import GenError, ShapeError
from gen.types import Given, Shape

__all__ = ["spatial", "taken"]


def taken(sampler: Any, given: Given | None, shape: Shape, n: int) -> Tensor:
    """n given samples [n, *its shape] for data of `shape`: fewer are used again from the start.

    Raises:
        GenError: nothing was given.
        ShapeError: samples of a shape that the task does not start from.
    """
    name = type(sampler).__name__
    if given is None or given.x is None or not len(given.x):
        raise GenError(f"{name} starts from data: give it some as Given(x=…), [n, *shape] in the range of the data")
    there, allowed = tuple(given.x.shape[1:]), sampler.given_shapes(shape)
    if there not in allowed:
        raise ShapeError(f"{name} was given samples of {there}; it takes {' or '.join(map(str, allowed))}")
    return given.x[torch.arange(n) % len(given.x)]


def spatial(name: str, shape: Shape) -> tuple[int, int]:
    """Height and width of images [C, H, W].

    Raises:
        ShapeError: the data are no images.
    """
    if len(shape) != 3:
        raise ShapeError(f"{name} works on images [C, H, W]; these data have the shape {shape}")
    return shape[1], shape[2]
