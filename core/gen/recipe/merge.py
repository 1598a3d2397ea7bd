"""One rule for base files, arguments and phases: mappings merge deep, the rest is replaced.

A mapping that states `use` replaces the inherited component whole, options and all, and so does a bare name; a mapping
without `use` adjusts what is there. `drop` removes inherited values first.
"""

from __future__ import annotations

import attrs

from gen.recipe.nodes import ListNode, MapNode, Node, Scalar, look_up, without
from gen.recipe.problems import Problems

__all__ = ["as_mapping", "drop", "merge"]


def merge(below: Node | None, above: Node) -> Node:
    """What stands when `above` is laid over `below`."""
    if below is None or not isinstance(above, MapNode) or "use" in above.entries:
        return above
    base = as_mapping(below)
    if base is None or ("run" in above.entries and "use" in base.entries):
        return above
    entries = dict(base.entries)
    for name, value in above.entries.items():
        entries[name] = merge(base.entries.get(name), value)
    # an adjusted value keeps its place unless it was given none: a default is not "written" anywhere
    return attrs.evolve(above if base.default else base, entries=entries)


def as_mapping(node: Node) -> MapNode | None:
    """A mapping, also for a component written as a bare name; None for any other value."""
    if isinstance(node, MapNode):
        return node
    if isinstance(node, Scalar) and isinstance(node.value, str):
        use = attrs.evolve(node, key=None)
        return MapNode(place=node.place, key=node.key, default=node.default, entries={"use": use})
    return None


def drop(inherited: MapNode | None, asked: Node | None, problems: Problems) -> MapNode | None:
    """The inherited values less those that `drop: [path, …]` names."""
    if asked is None:
        return inherited
    if not isinstance(asked, ListNode):
        problems.add("wrong-type", "drop takes a list of paths", asked.where, "write drop: [model.prior]")
        return inherited
    for item in asked.items:
        if not isinstance(item, Scalar) or not isinstance(item.value, str):
            problems.add("wrong-type", "drop takes a list of paths", item.place, "write drop: [model.prior]")
        elif look_up(inherited, item.value) is None:
            what = "the base has no such value" if inherited is not None else "there is no base to drop it from"
            problems.add("no-effect", f'drop removes nothing at "{item.value}": {what}', item.place)
        else:
            assert inherited is not None
            left = without(inherited, item.value.split("."))
            assert isinstance(left, MapNode)
            inherited = left
    return inherited
