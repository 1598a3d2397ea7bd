"""What the models of this plugin tell their parts: shapes and labels, and how they refuse what cannot work."""

from __future__ import annotations

from gen.errors import ShapeError
from gen.interfaces import Likelihood
from gen.types import DataSpec

__all__ = ["check_levels"]


def check_levels(likelihood: Likelihood, data: DataSpec) -> None:
    """Compares the levels that a likelihood counts with those of the data.

    Raises:
        ShapeError: they differ, so the likelihood would give mass to values that never occur, or miss some.
    """
    counted, there = getattr(likelihood, "levels", None), data.domain.levels
    if counted is not None and there is not None and counted != there:
        raise ShapeError(f"the likelihood counts {counted} levels, but the data have {there}: give it levels: {there}")
