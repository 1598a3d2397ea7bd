"""A component apart from a recipe, adjusted by arguments: the same rules, the same messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gen.plugins import Catalogue
from gen.recipe import overrides
from gen.recipe.check import fill
from gen.recipe.context import Context
from gen.recipe.mapping import from_mapping
from gen.recipe.problems import Problems
from gen.recipe.rules import check_alone
from gen.spec import SlotSpec

__all__ = ["adjusted"]


def adjusted(
    value: str | Mapping[str, Any], arguments: Sequence[str] = (), *, kind: str, catalogue: Catalogue
) -> dict[str, Any]:
    """The resolved value of a component, with arguments such as "sampler.steps=10" applied.

    Args:
        value: a name, or a mapping with `use`.
        arguments: their paths begin with the kind.

    Raises:
        RecipeError: with all problems of the value and the arguments.
    """
    problems = Problems()
    tree = overrides.apply(from_mapping({kind: value}, problems), arguments, problems)
    ctx = Context(catalogue, problems)
    made: dict[str, Any] | None = fill(ctx, kind, SlotSpec(kind, kind), tree.entries[kind], "")
    check_alone(ctx, tree)
    problems.raise_any()
    assert made is not None, "a component without problems is resolved"
    return made
