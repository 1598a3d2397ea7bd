"""`gen cat RECIPE`: the recipe in full, every default written out; with `--origin`, where each value came from."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping

import yaml

from gen.cli.arguments import add_overrides, add_plugin, known_plugins

__all__ = ["add", "main", "with_origins"]

WIDEST = 60
"""Columns after which a comment no longer waits for the longest line."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", metavar="RECIPE", help="a file, or the name of a shipped recipe")
    add_overrides(parser)
    parser.add_argument("--origin", action="store_true", help="say behind each value where it came from")
    add_plugin(parser)


def main(args: argparse.Namespace) -> int:
    from gen.recipe.recipe import Recipe

    recipe = Recipe.read(args.recipe, args.overrides, catalogue=known_plugins(args))
    text = recipe.to_yaml()
    print((with_origins(text, recipe.origins) if args.origin else text).rstrip("\n"))
    return 0


def with_origins(text: str, origins: Mapping[str, str]) -> str:
    """The YAML text with `# origin` behind every value; values that share a line share a comment."""
    comments: dict[int, list[str]] = {}
    for path, line in _values(yaml.compose(text, yaml.SafeLoader)):
        origin = origins.get(path) or origins.get(path.removesuffix(".use"), "")
        if origin and origin not in comments.setdefault(line, []):
            comments[line].append(origin)
    lines = text.splitlines()
    width = max((len(lines[line]) for line in comments if len(lines[line]) <= WIDEST), default=0)
    return "\n".join(
        f"{line.ljust(width)}  # {', '.join(comments[number])}" if comments.get(number) else line
        for number, line in enumerate(lines)
    )


def _values(node: yaml.Node | None, path: str = "") -> Iterator[tuple[str, int]]:
    """The dotted path of every value that has no values inside, and the line it ends on."""
    children: list[tuple[str, yaml.Node]] = []
    if isinstance(node, yaml.MappingNode):
        children = [(key.value, value) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode) and not all(isinstance(item, yaml.ScalarNode) for item in node.value):
        children = [(str(number), item) for number, item in enumerate(node.value)]
    elif node is None:
        return
    if not children:
        yield path, max(node.start_mark.line, node.end_mark.line - (node.end_mark.column == 0))
    for name, child in children:
        yield from _values(child, f"{path}.{name}" if path else name)
