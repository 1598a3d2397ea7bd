"""What the models of this plugin tell their parts: shapes, labels, the range of the data; and what they refuse."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
from torch import Tensor, nn

from gen.errors import GenError, ShapeError
from gen.interfaces import Prior
from gen.types import CondSpec, DataSpec, Domain, Shapes

__all__ = ["check_joins", "cond_of", "labels_for", "settle", "squashed"]


def cond_of(data: DataSpec, asked: bool, option: str = "conditional") -> CondSpec | None:
    """The condition that networks are wired to where the option asks for labels.

    Raises:
        ShapeError: labels are asked for, but the data carry none.
    """
    if not asked:
        return None
    if data.cond is None:
        raise ShapeError(
            f"{option}: true tells networks the labels, but the data carry none: "
            f"set {option}: false, or choose data with labels"
        )
    return data.cond


def labels_for(asked: bool, cond: Tensor | None) -> Tensor | None:
    """What the networks are told: the labels [B] for a conditional model, nothing for another.

    Raises:
        GenError: a conditional model is asked for something without labels.
    """
    if not asked:
        return None
    if cond is None:
        raise GenError("this model was trained with labels and needs them: say which, one per sample")
    return cond


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


def settle(prior: Prior) -> None:
    """Takes the prior as it stands: here it is the codes that come to it.

    Raises:
        ShapeError: the prior is made of the model's own posteriors.
    """
    if hasattr(prior, "bind"):
        raise ShapeError("this prior is made of posteriors, and here codes come to a prior that stands: choose another")
    prior.requires_grad_(False)


def squashed(y: Tensor, domain: Domain, squash: bool) -> Tensor:
    """A decoder's output as samples: through tanh into the range of the data, if asked for."""
    if not squash:
        return y
    low, high = domain.range
    return low + (high - low) * 0.5 * (y.tanh() + 1)
