"""What the models of this plugin tell their parts: shapes, labels, the range of the data; and what they refuse."""

from __future__ import annotations

from torch import Tensor

from gen.errors import GenError, ShapeError
from gen.interfaces import Prior
from gen.types import CondSpec, DataSpec, Domain

__all__ = ["cond_of", "labels_for", "settle", "squashed"]


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
