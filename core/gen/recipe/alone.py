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
from gen.recipe.rules import judge_strangers
from gen.spec import SlotSpec

__all__ = ["adjusted"]


def adjusted(
    value: str | Mapping[str, Any], arguments: Sequence[str], *, kind: str, path: str, catalogue: Catalogue
) -> dict[str, Any]:
    """The resolved value of a component with arguments such as "steps=10" or "solver.steps=10" applied.

    Args:
        value: a name, or a mapping with `use`.
        path: where it stands, for messages.

    Raises:
        RecipeError: with all problems of the value and the arguments.
    """
    problems = Problems()
    tree = from_mapping({"use": value} if isinstance(value, str) else value, problems)
    tree = overrides.apply(tree, arguments, problems)
    ctx = Context(catalogue, problems)
    made: dict[str, Any] | None = fill(ctx, path, SlotSpec(path, kind), tree, "")
    judge_strangers(ctx, alone=path)
    problems.raise_any()
    assert made is not None, "a component without problems is resolved"
    return made
