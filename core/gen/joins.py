"""Where a model joins its parts: whether they fit, and the labels that conditional models tell them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import attrs
from torch import Tensor, nn

from gen.errors import GenError, ShapeError
from gen.types import CondSpec, DataSpec, Shapes

if TYPE_CHECKING:
    from gen.interfaces import Regularizer

__all__ = ["check_joins", "check_serves", "cond_of", "labels_told"]


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


def check_serves(slot: str, regularizers: Iterable[Regularizer], network: str) -> None:
    """Whether these regularizers are meant for the network of this slot.

    Raises:
        ShapeError: naming the first that is not, and what it is for.
    """
    for regularizer in regularizers:
        if network not in regularizer.serves:
            name, meant = type(regularizer).__name__, " or ".join(regularizer.serves)
            raise ShapeError(f"{slot}: these are penalties on the {network}, and {name} is one on the {meant}")


def cond_of(data: DataSpec, asked: bool, option: str = "conditional", kind: str | None = None) -> CondSpec | None:
    """The condition that parts are wired to where a model's option asks for labels; `kind` is the only one it serves.

    Raises:
        ShapeError: labels are asked for, but the data carry none.
    """
    if not asked:
        return None
    if data.cond is None or kind not in (None, data.cond.kind):
        raise ShapeError(
            f"{option}: true tells networks the labels, but the data carry none: set {option}: false, or choose data "
            "with labels"
        )
    return data.cond


def labels_told(asked: bool, cond: Tensor | None) -> Tensor | None:
    """What the parts are told: the labels [B] in a conditional model, nothing in another.

    Raises:
        GenError: a conditional model is asked for something without labels.
    """
    if not asked:
        return None
    if cond is None:
        raise GenError("this model was trained with labels and needs them: say which, one per sample")
    return cond
