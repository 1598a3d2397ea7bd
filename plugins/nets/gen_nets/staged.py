"""The one shape of all networks here: stages, each with its shift from the condition, then a head."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from gen.component import interface
from gen.interfaces import Network
from gen.types import CondSpec, Shape
from gen_nets.condition import Condition

__all__ = ["Stage", "Staged"]


class Stage(nn.Module):
    """h → act(layer(h) + shift)."""

    def __init__(self, layer: nn.Module, act: nn.Module) -> None:
        super().__init__()
        self.layer, self.act = layer, act

    def forward(self, h: Tensor, shift: Tensor | None = None) -> Tensor:
        h = self.layer(h)
        h = self.act(h if shift is None else h + shift)
        return h


@interface
class Staged(Network):
    """A chain of stages and a head, [B, *in_shape] → [B, *out_shape]; what derives from it only builds them.

    Wired to two shapes, ((C, H, W), (D,)) say, it reads the tuple (x, z): x goes through the stages, and z is told to
    each of them as a vector condition is, which in a perceptron equals joining it to the input of every hidden layer.
    """

    family: ClassVar[str]

    @property
    def title(self) -> str:
        """What messages call the network: `conv-encoder`."""
        return f"{self.family}-{self.kind}"

    @property
    def main_shape(self) -> Shape:
        """The shape of what goes through the stages: all that is read, or x of the tuple (x, z)."""
        return self.in_shape[0] if self.in_shape and isinstance(self.in_shape[0], tuple) else self.in_shape

    def assemble(self, stages: Sequence[nn.Module], widths: Sequence[int], head: nn.Module, *, maps: int) -> None:
        """Keeps the stages and the head; `widths` says what each stage puts out, the first `maps` feature maps."""
        self.stages = nn.ModuleList(stages)
        self.condition = Condition(self.title, self.cond, widths, maps)
        self.joined: Condition | None = None
        if self.main_shape is not self.in_shape:
            beside: Any = self.in_shape[1]
            self.joined = Condition(self.title, CondSpec("vector", math.prod(beside)), widths, maps)
        self.head = head

    def features(self, x: Any, cond: Tensor | None = None) -> Tensor:
        """What the last stage puts out and the head reads: [B, C, h, w], or [B, width] of a perceptron."""
        h: Tensor
        h, z = x if self.joined is not None else (x, None)
        for stage, shift in zip(self.stages, self._shifts(h, z, cond), strict=True):
            h = stage(h, shift)
        return h

    def forward(self, x: Any, cond: Tensor | None = None) -> Tensor:
        """[B, *in_shape] → [B, *out_shape], told labels [B] or vectors [B, size]; None is the null condition."""
        out: Tensor = self.head(self.features(x, cond))
        return out

    def _shifts(self, x: Tensor, z: Tensor | None, cond: Tensor | None) -> Sequence[Tensor | None]:
        told = self.condition(x, cond)
        if self.joined is None or z is None:
            return told
        beside = self.joined(x, z.flatten(1))
        return [a if b is None else a + b for a, b in zip(beside, told, strict=True)]
