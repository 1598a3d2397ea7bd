"""What of a sample is known: a picture (white = known), or a shape by its word."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor

from gen.errors import CommandError
from gen.picture_files import read_picture
from gen.seeds import generator
from gen.types import Shape

__all__ = ["make_mask"]

_WORDS = "half (the first is known), centre (all around it is) or random:SHARE"


def make_mask(said: str, shape: Shape, n: int, seed: int = 0) -> Tensor:
    """A mask for n samples of `shape`, 1 where known: [n or 1, 1, *sides] of images and series, [n or 1, D] of vectors.

    Args:
        said: a word, or the path of a picture of the size of the data.

    Raises:
        CommandError: it is neither, the picture has another size, or the share is none.
        DataError: the file is no picture.
    """
    sides = shape[1:] if len(shape) > 1 else shape
    if said.startswith("random:"):
        mask = torch.rand(n, *sides, generator=generator(seed, "mask")) < _share(said)
    elif said == "half":
        mask = torch.zeros(1, *sides, dtype=torch.bool)
        mask[:, : math.ceil(sides[0] / 2)] = True
    elif said == "centre":
        mask = torch.ones(1, *sides, dtype=torch.bool)
        mask[(slice(None), *(slice(side // 4, side - side // 4) for side in sides))] = False
    else:
        mask = _drawn(said, sides)
    return (mask.unsqueeze(1) if len(shape) > 1 else mask).float()


def _share(said: str) -> float:
    try:
        share = float(said.removeprefix("random:"))
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise CommandError(f"random:SHARE takes the share that is known, 0 to 1, got {said}")
    return share


def _drawn(said: str, sides: Shape) -> Tensor:
    """A picture as a mask [1, H, W]: known where it is lighter than middle grey."""
    path = Path(said)
    if not path.exists():
        raise CommandError(f"a mask is a picture (white = known) or {_WORDS}; {said} is neither")
    light = read_picture(path).float().mean(0)  # [H, W]
    if tuple(light.shape) != sides:
        there = f"{light.shape[1]}x{light.shape[0]} pixels"
        wanted = "x".join(map(str, reversed(sides)))
        raise CommandError(f"the mask {path} is {there}; the data are {wanted}: draw one of their size")
    return (light > 127.5).unsqueeze(0)
