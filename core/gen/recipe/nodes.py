"""A recipe as a tree of immutable nodes: every value knows the place where it was written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import attrs

from gen.errors import Place

__all__ = ["UNREADABLE", "ListNode", "MapNode", "Node", "Scalar", "child", "leaves", "look_up", "without"]


class _Unreadable:
    def __repr__(self) -> str:
        return "UNREADABLE"


UNREADABLE: Any = _Unreadable()
"""The value of a scalar that has been reported already; the checks pass over it."""


@attrs.frozen(eq=False, kw_only=True)
class _Written:
    """`place` is the value's, `key` that of the key it stands under; `default` names who gave a value not written."""

    place: Place
    key: Place | None = None
    default: str = ""

    @property
    def where(self) -> Place:
        """The key where there is one: what a message about the whole entry underlines."""
        return self.key or self.place

    @property
    def origin(self) -> str:
        """`vae.yaml:12`, `argument 2`, `default of core/adam`."""
        if self.default:
            return f"default of {self.default}"
        return f"{self.place.source}:{self.place.line}" if self.place.line else self.place.source


@attrs.frozen(eq=False, kw_only=True)
class Scalar(_Written):
    """Text, a number, true, false or null."""

    value: Any


@attrs.frozen(eq=False, kw_only=True)
class ListNode(_Written):
    items: tuple[Node, ...]


@attrs.frozen(eq=False, kw_only=True)
class MapNode(_Written):
    entries: dict[str, Node]


Node: TypeAlias = Scalar | ListNode | MapNode


def child(node: Node | None, step: str) -> Node | None:
    """What stands under a key, or at a number of a list."""
    if isinstance(node, MapNode):
        return node.entries.get(step)
    if isinstance(node, ListNode) and step.isdecimal() and len(step) < 6 and int(step) < len(node.items):
        return node.items[int(step)]
    return None


def look_up(node: Node | None, path: str) -> Node | None:
    """The node at a dotted path, or None."""
    for step in path.split("."):
        node = child(node, step)
    return node


def without(node: Node, steps: list[str]) -> Node:
    """The tree less the node at a path that exists."""
    step, *rest = steps
    inner = child(node, step)
    assert inner is not None, "only what exists can be removed"
    kept = [without(inner, rest)] if rest else []
    if isinstance(node, ListNode):
        index = int(step)
        return attrs.evolve(node, items=(*node.items[:index], *kept, *node.items[index + 1 :]))
    assert isinstance(node, MapNode)
    entries = dict(node.entries)
    if kept:
        entries[step] = kept[0]
    else:
        del entries[step]
    return attrs.evolve(node, entries=entries)


def leaves(node: Node) -> Iterator[Node]:
    """Everything that holds no further node."""
    inner = node.entries.values() if isinstance(node, MapNode) else node.items if isinstance(node, ListNode) else ()
    if not inner:
        yield node
    for one in inner:
        yield from leaves(one)
