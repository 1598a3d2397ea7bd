"""Checks one option's value against its spec; the resolved value is in recipe form (numbers widened, lists kept)."""

from __future__ import annotations

from typing import Any

import attrs

from gen.errors import OptionError, did_you_mean
from gen.recipe.context import Context, joined
from gen.recipe.files import escapes
from gen.recipe.nodes import UNREADABLE, ListNode, Node, Scalar
from gen.spec import OptionSpec, show

__all__ = ["check_option"]


def check_option(ctx: Context, path: str, option: OptionSpec, node: Node) -> Any:
    """The value of the option `path.option`; None where it was refused and reported."""
    ctx.note(joined(path, option.name), node)
    if not option.many or not isinstance(node, ListNode) or not _fits(option, node):
        return _convert(ctx, path, option, node)
    single = attrs.evolve(option, many=False, length=None, nullable=False)
    values = []
    for number, item in enumerate(node.items):
        values.append(_convert(ctx, path, attrs.evolve(single, name=f"{option.name}.{number}"), item))
    return values


def _fits(option: OptionSpec, node: ListNode) -> bool:
    return option.length is None or len(node.items) == option.length


def _convert(ctx: Context, path: str, option: OptionSpec, node: Node) -> Any:
    value = _shallow(node)
    if value is UNREADABLE:
        return None
    try:
        converted = option.convert(value)
    except OptionError as error:
        # the spec names the option alone; the recipe's path says which of several is meant
        code = "out-of-range" if str(error).startswith(f"{option.name} must be ") else "wrong-type"
        near = did_you_mean(value[:100], option.choices) if isinstance(value, str) and option.choices else ""
        ctx.problems.add(code, joined(path, str(error)), node.place, near)
        return None
    if option.path and isinstance(converted, str) and escapes(converted):
        message = f"{joined(path, option.name)} must stay below the data root, got {show(converted)}"
        ctx.problems.add("path", message, node.place, "name the folder with --data-root")
    return converted


def _shallow(node: Node) -> Any:
    """The value without places, a mapping left empty: enough for a spec to accept or describe it."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, ListNode):
        values = [_shallow(item) for item in node.items]
        return UNREADABLE if UNREADABLE in values else values
    return {}
