"""What a quantizer promises. Shapes: B batch, D size of a code vector, V code vectors."""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

from torch import Tensor

from gen.component import interface, wired
from gen.interfaces import Part
from gen.types import Shape

__all__ = ["Quantized", "Quantizer", "rows_of"]


class Quantized(NamedTuple):
    """What became of a code: the code vectors, their numbers, and what the encoder pays."""

    z: Tensor
    """[B, D, *sites]: the chosen code vectors; gradients pass straight through to the code."""

    tokens: Tensor
    """[B, *sites] int64, from 0 to V - 1."""

    penalty: Tensor
    """[B], in the loss's unit."""


@interface
class Quantizer(Part):
    """Replaces every vector of a code z [B, D, *sites] by one of V code vectors. `shape` is (D, *sites)."""

    kind = "quantizer"
    shape: Shape = wired()

    @property
    @abstractmethod
    def values(self) -> int:
        """How many code vectors there are, V."""

    @abstractmethod
    def forward(self, z: Tensor) -> Quantized: ...

    @abstractmethod
    def lookup(self, tokens: Tensor) -> Tensor:
        """The code vectors [B, D, *sites] of tokens [B, *sites]."""

    def after_step(self) -> None:
        """Called after every update, on all processes: what a quantizer learns without gradients."""


def rows_of(z: Tensor) -> Tensor:
    """The vectors of a code, [B, D, *sites] → [B sites, D]."""
    return z.movedim(1, -1).flatten(0, -2)
