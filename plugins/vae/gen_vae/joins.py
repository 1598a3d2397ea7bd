"""What the models of this plugin tell their parts: shapes and labels, and how they refuse what cannot work."""

from __future__ import annotations

from torch import Tensor

from gen.errors import GenError, ShapeError
from gen.interfaces import Likelihood
from gen.types import CondSpec, DataSpec

__all__ = ["check_levels", "cond_of", "labels_for"]


def cond_of(data: DataSpec, conditional: bool) -> CondSpec | None:
    """The condition that encoder and decoder are wired to.

    Raises:
        ShapeError: labels are asked for, but the data carry none.
    """
    if not conditional:
        return None
    if data.cond is None:
        raise ShapeError(
            "conditional: true tells encoder and decoder the labels, but the data carry none: "
            "set conditional: false, or choose data with labels"
        )
    return data.cond


def labels_for(conditional: bool, cond: Tensor | None) -> Tensor | None:
    """What the networks are told: the labels [B] for a conditional model, nothing for another.

    Raises:
        GenError: a conditional model is asked for something without labels.
    """
    if not conditional:
        return None
    if cond is None:
        raise GenError("this model was trained with conditional: true and needs labels: say which, one per sample")
    return cond


def check_levels(likelihood: Likelihood, data: DataSpec) -> None:
    """Compares the levels that a likelihood counts with those of the data.

    Raises:
        ShapeError: they differ, so the likelihood would give mass to values that never occur, or miss some.
    """
    counted, there = getattr(likelihood, "levels", None), data.domain.levels
    if counted is not None and there is not None and counted != there:
        raise ShapeError(f"the likelihood counts {counted} levels, but the data have {there}: give it levels: {there}")
