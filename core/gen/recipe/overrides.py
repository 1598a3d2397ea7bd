"""Arguments that change a recipe: `train.steps=200`, `optim.all=sgd`, `data.transforms.0.to=32`, `~evaluate`.

The value is read by the rules of a recipe, as a plain scalar or a flow collection; what is set merges by the rule of
`gen.recipe.merge`. An argument that changes nothing in the end is an error.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from gen.errors import Place
from gen.recipe.merge import as_mapping, merge
from gen.recipe.nodes import ListNode, MapNode, Node, Scalar, child, leaves, look_up, without
from gen.recipe.problems import Problems
from gen.recipe.reader import MOST_LETTERS, Lines, parse, plain_value
from gen.recipe.scalars import bad_character

__all__ = ["apply"]

_YAML = (*"[{\"'&*!|>%@`",)


@attrs.frozen
class _Argument:
    """`value` is None for `~path`."""

    number: int
    path: str
    lines: Lines
    value: Node | None

    def place(self, start: int, length: int) -> Place:
        return self.lines.place(0, start, length)

    def whole(self) -> Place:
        return self.place(0, len(self.lines.lines[0]))

    def steps(self) -> list[tuple[str, Place]]:
        """The words of the path, each with its place."""
        start, steps = 0, []
        for word in self.path.split("."):
            steps.append((word, self.place(start, len(word))))
            start += len(word) + 1
        return steps


def apply(tree: MapNode, texts: Sequence[str], problems: Problems) -> MapNode:
    """The tree with every argument applied, from left to right."""
    arguments = [
        argument
        for number, text in enumerate(texts, 1)
        if (argument := _read(number, text, problems.source(f"argument {number}"), problems)) is not None
    ]
    for argument in arguments:
        tree = _removed(tree, argument, problems) if argument.value is None else _set(tree, argument, problems)
    _find_idle(tree, arguments, problems)
    return tree


def _read(number: int, text: str, source: str, problems: Problems) -> _Argument | None:
    lines = Lines(source, [text], argument=True)
    whole = lines.place(0, 0, len(text))
    if len(text) > MOST_LETTERS or bad_character(text) or len(text.splitlines()) > 1:
        shown = Place(source, 0, 1, ascii(text[:60])[1:-1], 1)
        problems.add("override", "an argument is one line of plain text", shown)
        return None
    path, equals, value = text.partition("=")
    if text.startswith("~") and not equals:
        return _Argument(number, path[1:], attrs.evolve(lines, shift=1), None)
    if not equals or not all(path.split(".")) or path.startswith(("-", "~")):
        dashes = path.startswith("-") and equals
        remedy = f"without dashes: {text.lstrip('-')}" if dashes else "write PATH=VALUE or ~PATH"
        problems.add("override", f'"{text}" is no override', whole, remedy)
        return None
    if path in ("base", "drop"):
        problems.add("override", f"an argument cannot change {path}", whole, "change the recipe itself")
        return None
    return _Argument(number, path, lines, _value(value, attrs.evolve(lines, shift=len(path) + 1), problems))


def _value(text: str, lines: Lines, problems: Problems) -> Node:
    """A flow collection or quoted text as YAML; anything else is one plain scalar, whatever letters it holds."""
    bare = text.strip()
    place = lines.place(0, text.find(bare), max(1, len(bare)))
    if bare[:1] not in _YAML:
        return Scalar(place=place, value=plain_value(bare, place, problems))
    node = parse(text, lines, problems)
    assert node is not None, "a text that starts with a sign is not empty"
    return node


def _set(tree: MapNode, argument: _Argument, problems: Problems) -> MapNode:
    steps = argument.steps()
    assert argument.value is not None
    value = argument.value
    if len(steps) > 1 and steps[-1][0] == "use":
        (_, key), steps = steps[-1], steps[:-1]
        value = MapNode(place=value.place, entries={"use": attrs.evolve(value, key=key)})
    made = _put(tree, steps, value, problems, "")
    assert isinstance(made, MapNode)
    return made


def _put(node: Node | None, steps: list[tuple[str, Place]], value: Node, problems: Problems, path: str) -> Node:
    """The node with the value merged in at the rest of the path; what is missing on the way is made."""
    if not steps:
        return value if node is None else attrs.evolve(merge(node, value), key=value.key or node.key)
    (word, place), *rest = steps
    if isinstance(node, ListNode):
        inner = child(node, word)
        if inner is None:
            items = f"{len(node.items)} item{'s' * (len(node.items) != 1)}"
            problems.add("unknown-option", f'{path} has no item "{word}"', place, f"it has {items}, counted from 0")
            return node
        new = _put(inner, rest, value, problems, f"{path}.{word}")
        index = int(word)
        return attrs.evolve(node, items=(*node.items[:index], new, *node.items[index + 1 :]))
    mapping = (as_mapping(node) if node is not None else None) or MapNode(place=place, entries={})
    old = mapping.entries.get(word)
    new = _put(old, rest, value, problems, f"{path}.{word}".lstrip("."))
    if old is None or not rest:
        new = attrs.evolve(new, key=place)
    return attrs.evolve(mapping, entries={**mapping.entries, word: new})


def _removed(tree: MapNode, argument: _Argument, problems: Problems) -> MapNode:
    if look_up(tree, argument.path) is None:
        message = f'"~{argument.path}" removes nothing: the recipe does not state {argument.path}'
        problems.add("no-effect", message, argument.place(0, len(argument.path)))
        return tree
    left = without(tree, argument.path.split("."))
    assert isinstance(left, MapNode)
    return left


def _find_idle(tree: MapNode, arguments: list[_Argument], problems: Problems) -> None:
    """An argument of which nothing is left was replaced or removed by a later one."""
    alive = {leaf.place.source for leaf in leaves(tree)}
    alive.update(problem.place.source for problem in problems.found if problem.place)
    for argument in arguments:
        if argument.value is None or argument.lines.source in alive:
            continue
        later = next((other for other in arguments[argument.number :] if _covers(other, argument)), None)
        if later is None:
            remedy = f"it sets nothing; ~{argument.path} removes what is there"
        else:
            remedy = f"argument {later.number} {'removes' if later.value is None else 'replaces'} it"
        problems.add("no-effect", f'"{argument.lines.lines[0]}" has no effect', argument.whole(), remedy)


def _covers(other: _Argument, argument: _Argument) -> bool:
    """Whether one argument stands at the place of another, above it or within it."""
    one, two = f"{other.path.removesuffix('.use')}.", f"{argument.path}."
    return one.startswith(two) or two.startswith(one)
