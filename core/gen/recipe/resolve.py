"""From the merged tree to the resolved recipe: every section against its spec, then what holds between sections."""

from __future__ import annotations

from typing import Any

import attrs

from gen.plugins import Catalogue
from gen.recipe.check import check_fields, check_section
from gen.recipe.context import Context, installed
from gen.recipe.naming import check_plugins
from gen.recipe.nodes import UNREADABLE, ListNode, MapNode, Scalar, look_up
from gen.recipe.optim import check_optim
from gen.recipe.problems import Problems
from gen.recipe.rules import check_rules
from gen.sections import OPTIM, ORDER, ROOT

__all__ = ["resolve"]


def resolve(tree: MapNode, catalogue: Catalogue, problems: Problems) -> tuple[dict[str, Any], Context]:
    """The resolved recipe, which holds only where no problem was found, and what was learned of its values."""
    ctx = Context(catalogue, problems)
    values = check_fields(ctx, "", ROOT, _complete(ctx, tree))
    for section in ROOT.sections:
        node = tree.entries.get(section.name)
        if section is OPTIM:
            values["optim"] = check_optim(ctx, node, tree.place, ctx.used.get("model"))
        else:
            values[section.name] = check_section(ctx, section.name, section, node, tree.place)
    listed = look_up(tree, "plugins")
    if isinstance(listed, ListNode) and values.get("plugins"):
        check_plugins(ctx, values["plugins"], list(listed.items))
    check_rules(ctx, tree, values)
    return {name: values[name] for name in ORDER if name in values}, ctx


def _complete(ctx: Context, tree: MapNode) -> MapNode:
    """The tree with the sections it lacks; that they are lacking is reported here."""
    entries = dict(tree.entries)
    for slot in ROOT.slots:
        if slot.required and slot.name not in entries:
            entries[slot.name] = Scalar(place=tree.place, value=UNREADABLE)
            message, remedy = f'the recipe has no section "{slot.name}"', f"write {slot.name}: {{use: NAME}}"
            ctx.problems.add("missing-section", message, tree.place, remedy, [installed(ctx.catalogue, slot.kind)])
    return attrs.evolve(tree, entries=entries)
