"""From YAML text to nodes with places, within bounds. PyYAML gives the events; no loader ever makes an object.

Bounds hold while the text is read, so that a hostile file costs milliseconds: size, depth, nodes, length of a scalar.
Tags, anchors, aliases, merge keys, several documents, duplicate keys and keys that are no text are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import yaml

from gen.errors import Place
from gen.recipe.nodes import UNREADABLE, ListNode, MapNode, Node, Scalar
from gen.recipe.problems import Problems
from gen.recipe.scalars import ABSURD, bad_character, resolve
from gen.recipe.syntax import explain
from gen.spec import show

__all__ = [
    "MOST_BYTES",
    "MOST_COLUMNS",
    "MOST_DEPTH",
    "MOST_LETTERS",
    "MOST_NODES",
    "Lines",
    "decode",
    "parse",
    "plain_value",
]

MOST_BYTES = 256 * 1024
MOST_DEPTH = 32
MOST_NODES = 10_000
MOST_LETTERS = 64 * 1024
MOST_COLUMNS = 500
"""A value starts before this column, so that a message can show its line."""

MOST_CARETS = 100

# libyaml's parser gives the same events and marks, twenty times faster.
_PARSER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_ABSURD_REMEDY = "a number is finite, a whole one within 64 bits"


@attrs.frozen
class Lines:
    """The text of one source, to show places in. An argument is one line, whose value starts at `shift`."""

    source: str
    lines: list[str]
    shift: int = 0
    argument: bool = False

    def place(self, line: int, column: int, length: int = 1) -> Place:
        """From a line and column that count from 0."""
        if line >= len(self.lines):  # the end of the text
            line, column = len(self.lines) - 1, len(self.lines[-1]) - self.shift
        text = self.lines[line][: MOST_COLUMNS + 100]
        column = min(column + self.shift, len(text))
        length = min(length, len(text) - column, MOST_CARETS)
        return Place(self.source, 0 if self.argument else line + 1, column + 1, text, length)

    def span(self, start: Any, end: Any) -> Place:
        """From one mark to another, or to the end of the first line."""
        place = self.place(start.line, start.column)
        stop = end.column if end.line == start.line else len(place.text.rstrip())
        return self.place(start.line, start.column, max(1, stop - start.column))


def decode(content: bytes, source: str, problems: Problems) -> str:
    """UTF-8, with or without a byte order mark; not text, or a character no recipe holds, ends the reading."""
    if len(content) > MOST_BYTES:
        problems.fail("too-large", f"{source} has {len(content):,} bytes; a recipe has at most {MOST_BYTES:,}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", "ignore")
        place = _end_of(before, source)
        problems.fail("encoding", f"byte 0x{content[error.start]:02x} is not UTF-8", place, "save the file as UTF-8")
    if bad := bad_character(text):
        place = _end_of(text[: bad.start()], source)
        problems.fail("character", f"the character U+{ord(bad[0]):04X} is not allowed in a recipe", place, "remove it")
    return text


def _end_of(text: str, source: str) -> Place:
    lines = (text + "|").splitlines()
    return Place(source, len(lines), min(len(lines[-1]), MOST_COLUMNS), lines[-1][:-1][:MOST_COLUMNS])


def plain_value(text: str, place: Place, problems: Problems) -> Any:
    """The value of a plain scalar; an absurd number is reported and UNREADABLE."""
    value = resolve(text)
    if value is ABSURD:
        shown = text if len(text) <= 20 else text[:17] + "…"
        problems.add("absurd-number", f"{shown} is an absurd number", place, _ABSURD_REMEDY)
        return UNREADABLE
    return value


def parse(text: str, lines: Lines, problems: Problems) -> Node | None:
    """The one document of a text, or None where it is empty."""
    return _Reader(lines, problems).document(text)


class _Reader:
    def __init__(self, lines: Lines, problems: Problems) -> None:
        self.lines, self.problems = lines, problems
        self.nodes = 0

    def document(self, text: str) -> Node | None:
        events = self._events(text)
        root: Node | None = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                place = self.lines.span(event.start_mark, event.end_mark)
                if documents > 1:
                    self.problems.fail("documents", "a recipe is one document, here a second one begins", place)
                if event.tags or event.version:
                    self.problems.fail("yaml", "a recipe takes no % directives", place, "remove them")
            elif isinstance(event, yaml.NodeEvent):
                root = self._node(event, events, 1)
        return root

    def _events(self, text: str) -> Iterator[Any]:
        try:
            yield from yaml.parse(text, Loader=_PARSER)
        except yaml.YAMLError as error:
            told = explain(error, self.lines.lines)
            self.problems.fail(told.code, told.message, self.lines.place(told.line, told.column), told.remedy)

    def _node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        place = self.lines.span(event.start_mark, event.end_mark)
        self._bound(event, place, depth)
        readable = self._allow(event, place)
        node: Node = Scalar(place=place, value=UNREADABLE)
        if isinstance(event, yaml.SequenceStartEvent):
            node = self._list(event, events, depth)
        elif isinstance(event, yaml.MappingStartEvent):
            node = self._map(event, events, depth)
        elif isinstance(event, yaml.ScalarEvent) and readable:
            node = Scalar(place=place, value=self._value(event, place))
        return node if readable else Scalar(place=place, value=UNREADABLE)

    def _bound(self, event: Any, place: Place, depth: int) -> None:
        self.nodes += 1
        if depth > MOST_DEPTH:
            self.problems.fail("too-deep", f"values lie at most {MOST_DEPTH} levels deep", place)
        if self.nodes > MOST_NODES:
            self.problems.fail("too-large", f"a recipe has at most {MOST_NODES:,} values", place)
        if (column := event.start_mark.column) > MOST_COLUMNS:
            message = f"a value starts in column {column + 1}; at most {MOST_COLUMNS} can be shown"
            self.problems.fail("too-large", message, place, "break the line")
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > MOST_LETTERS:
            message = f"a text of {len(event.value):,} letters; at most {MOST_LETTERS:,} are read"
            self.problems.fail("too-large", message, place)

    def _allow(self, event: Any, place: Place) -> bool:
        """Reports anchors, aliases and tags; whether the value is known all the same."""
        if isinstance(event, yaml.AliasEvent):
            self.problems.add("anchor", f'the alias "*{event.anchor}" is not allowed', place, "write the value out")
            return False
        if event.anchor is not None:
            self.problems.add("anchor", f'the anchor "&{event.anchor}" is not allowed', place, "write the value out")
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.problems.add("tag", f'the tag "{tag[:60]}" is not allowed', place, "write the plain value")
        return event.tag is None

    def _value(self, event: Any, place: Place) -> Any:
        value = plain_value(event.value, place, self.problems) if not event.style else event.value
        if isinstance(value, str) and (bad := bad_character(value)):
            self.problems.add("character", f"the character U+{ord(bad[0]):04X} is not allowed in a recipe", place)
            return UNREADABLE
        return value

    def _list(self, start: Any, events: Iterator[Any], depth: int) -> ListNode:
        items = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(event, events, depth + 1))
        return ListNode(place=self._whole(start, event), items=tuple(items))

    def _map(self, start: Any, events: Iterator[Any], depth: int) -> MapNode:
        entries: dict[str, Node] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._node(event, events, depth + 1)
            value = self._node(next(events), events, depth + 1)
            if self._key(key, event, entries):
                assert isinstance(key, Scalar)
                nothing = isinstance(value, Scalar) and value.value is None
                entries[key.value] = attrs.evolve(value, key=key.place, place=key.place if nothing else value.place)
        first = next((value.key for value in entries.values()), None)
        return MapNode(place=first if first and not start.flow_style else self._whole(start, event), entries=entries)

    def _whole(self, start: Any, end: Any) -> Place:
        """A flow collection is underlined whole, a block only where it begins."""
        return self.lines.span(start.start_mark, end.end_mark if start.flow_style else start.end_mark)

    def _key(self, key: Node, event: Any, entries: dict[str, Node]) -> bool:
        if isinstance(key, Scalar) and key.value == "<<" and not event.style:
            self.problems.add("merge-key", 'the merge key "<<" is not allowed', key.place, "use base: FILE")
            return False
        if not isinstance(key, Scalar) or not isinstance(key.value, str):
            if not isinstance(key, Scalar) or key.value is not UNREADABLE:
                self.problems.add("key", "a key is text", key.place, "put it in quotes, or correct it")
            return False
        if (first := entries.get(key.value)) is not None and first.key is not None:
            there = first.key
            apart = there.line != key.place.line
            remedy = f"first given in {f'line {there.line}' if apart else f'column {there.column}'}"
            notes = [f"{there.line:>2} | {there.text}"] if apart else []
            message = f"{show(key.value)} is given twice"
            self.problems.add("twice", message, key.place, remedy, notes)
            return False
        return True
