"""YAML that is no recipe (a run's resolved one, a file of metrics), by the reader of recipes: strict, bounded, 1.2."""

from __future__ import annotations

from typing import Any

from gen.recipe.nodes import ListNode, Node, Scalar
from gen.recipe.problems import Problems
from gen.recipe.reader import Lines, decode, parse

__all__ = ["read_plain"]


def read_plain(content: bytes, source: str) -> Any:
    """The document as mappings, lists and scalars; None where it is empty.

    Raises:
        RecipeError: everything that no recipe may hold, at its place.
    """
    problems = Problems()
    text = decode(content, problems.source(source), problems)
    node = parse(text, Lines(source, text.splitlines() or [""]), problems)
    problems.raise_any()
    return None if node is None else _plain(node)


def _plain(node: Node) -> Any:
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, ListNode):
        return [_plain(item) for item in node.items]
    return {name: _plain(entry) for name, entry in node.entries.items()}
