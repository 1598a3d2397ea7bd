"""Values from Python as nodes: defaults of specs, and recipes written as a mapping, whose places are dotted paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gen.errors import Place
from gen.recipe.nodes import UNREADABLE, ListNode, MapNode, Node, Scalar
from gen.recipe.problems import Problems
from gen.recipe.reader import MOST_DEPTH, MOST_LETTERS, MOST_NODES
from gen.recipe.scalars import ABSURD, absurd, bad_character
from gen.spec import show

__all__ = ["from_mapping", "from_python"]


def from_python(value: Any, place: Place, default: str = "") -> Node:
    """A spec's default as nodes, all at the place of their owner."""
    if isinstance(value, Mapping):
        entries = {name: from_python(inner, place, default) for name, inner in value.items()}
        return MapNode(place=place, default=default, entries=entries)
    if isinstance(value, (list, tuple)):
        items = tuple(from_python(inner, place, default) for inner in value)
        return ListNode(place=place, default=default, items=items)
    return Scalar(place=place, default=default, value=value)


def from_mapping(mapping: Mapping[str, Any], problems: Problems) -> MapNode:
    """A recipe written in Python, within the bounds of a file."""
    root = _Maker(problems).make(mapping, "", None, 1)
    assert isinstance(root, MapNode)
    return root


class _Maker:
    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.nodes = 0

    def make(self, value: Any, path: str, key: Place | None, depth: int) -> Node:
        place = _place(path, show(value) if value is None or isinstance(value, _SHOWN) else type(value).__name__)
        self.nodes += 1
        if depth > MOST_DEPTH or self.nodes > MOST_NODES:
            self.problems.fail("too-large", f"a recipe has {MOST_NODES:,} values, {MOST_DEPTH} levels at most", place)
        if isinstance(value, Mapping):
            return MapNode(place=key or place, key=key, entries=self._entries(value, path, depth))
        if isinstance(value, (list, tuple)):
            items = (self.make(item, f"{path}.{i}", None, depth + 1) for i, item in enumerate(value))
            return ListNode(place=place, key=key, items=tuple(items))
        return Scalar(place=place, key=key, value=self._scalar(value, place))

    def _entries(self, mapping: Mapping[Any, Any], path: str, depth: int) -> dict[str, Node]:
        entries = {}
        for name, inner in mapping.items():
            if isinstance(name, str) and bad_character(name) is None:
                inside = f"{path}.{name}" if path else name
                entries[name] = self.make(inner, inside, _place(inside, name), depth + 1)
            else:
                self.problems.add("key", "a key is text", _place(path or "recipe", ascii(name)[:60]))
        return entries

    def _scalar(self, value: Any, place: Place) -> Any:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and absurd(value) is ABSURD:
            self.problems.add("absurd-number", f"{place.text} is an absurd number", place)
        elif isinstance(value, str) and len(value) > MOST_LETTERS:
            self.problems.add("too-large", f"a text of {len(value):,} letters; at most {MOST_LETTERS:,}", place)
        elif isinstance(value, str) and (bad := bad_character(value)):
            self.problems.add("character", f"the character U+{ord(bad[0]):04X} is not allowed in a recipe", place)
        elif value is None or isinstance(value, (bool, int, float, str)):
            return value
        else:
            message = f"a recipe holds text, numbers, true, false, null, lists and mappings, not {place.text}"
            self.problems.add("wrong-type", message, place)
        return UNREADABLE


_SHOWN = (bool, int, float, str)


def _place(path: str, text: str) -> Place:
    text = " ".join(text.split()) or '""'
    return Place(path or "recipe", 0, 1, text, len(text))
