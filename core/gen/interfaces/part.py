"""What every piece of a model is: a module whose options are attrs fields, and whose shapes its owner wires."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import nn

from gen.component import interface, wired
from gen.types import CondSpec, Shape, Shapes

__all__ = ["Network", "Part"]


@interface
class Part(nn.Module, ABC):
    """A piece of a model that holds tensors: an `nn.Module` whose options are attrs fields."""

    kind: ClassVar[str]

    def __attrs_pre_init__(self) -> None:
        nn.Module.__init__(self)

    def __attrs_post_init__(self) -> None:
        self.build()

    def build(self) -> None:
        """Makes the layers from the options and the wired shapes; raises `ShapeError` where they do not fit."""

    @classmethod
    def wire(cls, given: Shapes, **options: Any) -> Mapping[str, Shapes]:
        """The shapes of this part's own slots, where it has any: a pure function of its shapes and options."""
        return {}


@interface
class Network(Part):
    """A part with wired shapes: [B, *in_shape] → [B, *out_shape], told `cond` where it is wired to a condition."""

    in_shape: Shape = wired()
    out_shape: Shape = wired()
    cond: CondSpec | None = wired(default=None)
