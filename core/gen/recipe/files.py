"""A recipe file and the bases it stands on. Only regular files are read, and never more than the bound."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath, PureWindowsPath

import attrs

from gen.errors import Place
from gen.recipe.merge import drop, merge
from gen.recipe.nodes import UNREADABLE, MapNode, Node, Scalar
from gen.recipe.problems import Problems
from gen.recipe.reader import MOST_BYTES, Lines, decode, parse
from gen.sections import FORMAT

__all__ = ["Inherited", "check_format", "escapes", "read_with_bases"]

MOST_BASES = 16


@attrs.frozen
class Inherited:
    """A recipe merged with its bases: the tree, the bytes of the file itself, and those of the bases by name."""

    tree: MapNode
    written: bytes
    sources: dict[str, bytes]


def read_with_bases(path: Path, problems: Problems) -> Inherited:
    """Reads a recipe and, one after another, the bases it names; lays them over each other."""
    home = path.parent
    chain: list[MapNode] = []
    contents: dict[str, bytes] = {}
    reached: list[str] = []
    named: Scalar | None = None
    current: Path | None = path
    while current is not None:
        source = problems.source(str(current))
        content = _content(current, source, named, problems)
        contents[source if named is None else _below(current, home)] = content
        reached.append(os.path.realpath(current))
        tree = _tree(content, source, problems)
        chain.append(tree)
        named, current = _base_of(tree, current, reached, problems)
    written, *_ = contents.values()
    return Inherited(_laid(chain, problems), written, dict(list(contents.items())[1:]))


def _laid(chain: list[MapNode], problems: Problems) -> MapNode:
    """The recipe over its base, that over its own base, and so on; `base` and `drop` are used up."""
    merged: MapNode | None = None
    for tree in reversed(chain):
        merged = drop(merged, tree.entries.get("drop"), problems)
        own = {name: value for name, value in tree.entries.items() if name not in ("base", "drop")}
        over = attrs.evolve(tree, entries=own)
        laid = over if merged is None else merge(merged, over)
        assert isinstance(laid, MapNode)
        merged = attrs.evolve(laid, place=tree.place)
    assert merged is not None
    return merged


def _tree(content: bytes, source: str, problems: Problems) -> MapNode:
    text = decode(content, source, problems)
    tree = parse(text, Lines(source, text.splitlines() or [""]), problems)
    start = Place(source, 1, 1, (text.splitlines() or [""])[0][:200])
    if tree is None or (isinstance(tree, Scalar) and tree.value is None):
        problems.fail("empty", "the recipe is empty", start, "start with gen: 1")
    if isinstance(tree, Scalar) and tree.value is UNREADABLE:
        raise problems.error()
    if not isinstance(tree, MapNode):
        what = "text or a number" if isinstance(tree, Scalar) else "a list"
        problems.fail("root", f"a recipe is a mapping of sections, this is {what}", tree.place, "start with gen: 1")
    check_format(tree, problems)
    return tree


def check_format(tree: MapNode, problems: Problems) -> None:
    """A recipe of a newer format is refused at once: nothing else that could be said of it would be sure."""
    node = tree.entries.get("gen")
    if isinstance(node, Scalar) and type(node.value) is int and node.value > FORMAT:
        message = f"this recipe is in format {node.value}, this gen reads format {FORMAT}"
        problems.fail("newer-format", message, node.place, "newer: upgrade gen-core (pip install -U gen-core)")


def _base_of(tree: MapNode, current: Path, reached: list[str], problems: Problems) -> tuple[Scalar | None, Path | None]:
    """The place that names a base, and its file."""
    node = tree.entries.get("base")
    if node is None or (isinstance(node, Scalar) and node.value is UNREADABLE):
        return None, None
    if not isinstance(node, Scalar) or not isinstance(node.value, str) or not node.value:
        problems.fail("wrong-type", "base takes the name of a file", node.where, "write base: FILE")
    if escapes(node.value):
        message = f'base names a file beside the recipe or below it, got "{node.value}"'
        problems.fail("path", message, node.place, "copy it next to the recipe")
    base = current.parent / node.value
    if (real := os.path.realpath(base)) in reached:
        names = [os.path.basename(one) for one in reached[reached.index(real) :]]
        problems.fail("cycle", "the bases form a cycle: " + " → ".join([*names, names[0]]), node.place)
    if len(reached) > MOST_BASES:
        problems.fail("cycle", f"at most {MOST_BASES} bases stand on each other", node.place)
    return node, base


def escapes(path: str) -> bool:
    """Whether a path may lead out of the folder it is relative to, on any system."""
    windows = PureWindowsPath(path)
    parts = {*PurePosixPath(path).parts, *windows.parts}
    return bool(windows.root or windows.drive or ".." in parts or path.startswith("~") or "://" in path)


def _below(path: Path, home: Path) -> str:
    return Path(os.path.relpath(path, home)).as_posix()


def _content(path: Path, source: str, named: Node | None, problems: Problems) -> bytes:
    """The bytes of a regular file, at most one more than the bound; a FIFO or device is never waited for."""
    place = named.place if named else None
    what = "recipe" if named is None else "base"
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        mode = os.fstat(handle).st_mode
        if stat.S_ISREG(mode):
            with open(handle, "rb") as file:
                return file.read(MOST_BYTES + 1)
        os.close(handle)
        reason = "it is a folder" if stat.S_ISDIR(mode) else "it is not a regular file"
    except ValueError:
        reason = "its name holds a NUL"
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
    problems.fail("unreadable", f'cannot read the {what} "{source}": {reason}', place)
