"""How a model built in Python finds a part that does not fit; a recipe wires its parts and cannot get this wrong."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
from torch import nn

from gen.errors import ShapeError
from gen.types import Shapes

__all__ = ["check_joins"]


def check_joins(model: nn.Module, wired: Mapping[str, Shapes]) -> None:
    """Compares the parts as built with the shapes that their model wires (a recipe cannot get this wrong, Python can).

    Raises:
        ShapeError: naming the first part that does not fit, what it has and what it needs.
    """
    for name, shapes in wired.items():
        needs = {**attrs.asdict(shapes, recurse=False), "shape": shapes.in_shape}
        for field, needed in needs.items():
            has = getattr(getattr(model, name), field, needed)
            if has != needed:
                raise ShapeError(f"{name} was built with {field}={has}, but this model needs {field}={needed}")
