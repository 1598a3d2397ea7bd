"""Random numbers as a pure function of (key, counter): splitmix64, vectorised in int64.

A static transform needs the same draw for a sample whatever batch it comes in, without a generator per sample. The
finaliser is the one of Steele, Lea and Flood 2014 ("Fast splittable pseudorandom number generators"), a bijection of
the 64-bit integers: different counters never collide.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gen.types import Shape

__all__ = ["hash64", "uniform"]


def _signed(constant: int) -> int:
    return constant - (1 << 64) if constant >> 63 else constant


_STEP = _signed(0x9E3779B97F4A7C15)  # 2**64 / golden ratio, odd
_FIRST = _signed(0xBF58476D1CE4E5B9)
_SECOND = _signed(0x94D049BB133111EB)


def _shift(z: Tensor, bits: int) -> Tensor:
    """Logical right shift: torch's is arithmetic."""
    return (z >> bits) & ((1 << (64 - bits)) - 1)


def hash64(key: int, counter: Tensor) -> Tensor:
    """64 random bits for every counter (int64, any shape): the counter-th output of splitmix64 seeded with `key`."""
    z = counter * _STEP + key
    z = (z ^ _shift(z, 30)) * _FIRST
    z = (z ^ _shift(z, 27)) * _SECOND
    return z ^ _shift(z, 31)


def uniform(key: int, index: Tensor, shape: Shape) -> Tensor:
    """Uniform draws in [0, 1), float32 [B, *shape]: a function of the key, the sample's number and the position."""
    size = math.prod(shape)
    position = torch.arange(size, device=index.device)
    counter = index.to(torch.int64)[:, None] * size + position  # [B, size]
    return (_shift(hash64(key, counter), 40).to(torch.float32) * 2.0**-24).view(len(index), *shape)
