"""`gen plugin deps RECIPE`: the packages a recipe needs, as requirements that pip reads, one a line."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from gen import registry
from gen.cli.arguments import add_plugin, known_plugins
from gen.errors import RecipeError
from gen.plugins import Catalogue, full_name
from gen.recipe.files import read_with_bases
from gen.recipe.nodes import ListNode, MapNode, Node, Scalar
from gen.recipe.problems import Problems
from gen.recipe.recipe import Recipe

__all__ = ["add", "main"]

_LOCAL = "local"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", metavar="RECIPE", help="a recipe file, or the name of a shipped recipe")
    add_plugin(parser)


def main(args: argparse.Namespace) -> int:
    known = known_plugins(args)
    namespaces = _namespaces(args.recipe, known)
    lines, unknown = ["# " + args.recipe], False
    packages = []
    for namespace in sorted(namespaces - {_LOCAL} | {"core"}):
        package, remark = _package(namespace, known)
        unknown = unknown or not package
        packages += [package] if package else []
        lines.append(f"{package}{'  ' if package and remark else ''}{f'# {remark}' if remark else ''}")
    if _LOCAL in namespaces:
        lines.append("# and a plugin that is one file: gen run … --plugin FILE")
    print("\n".join([*lines, f"# pip install {' '.join(packages)}"]))
    return 2 if unknown else 0


def _package(namespace: str, known: Catalogue) -> tuple[str, str]:
    """The requirement that brings a plugin, and what there is to say of it."""
    plugin = known.plugin(namespace)
    if plugin is not None:
        remark = "" if plugin.usable else f"{plugin.state}: {plugin.reason}"
        return f"{plugin.distribution}=={plugin.version}", remark
    entry = registry.known(namespace)
    if entry is not None:
        return entry.package, "not installed; what else its defaults need shows once it is"
    return "", f"no package is known to provide the plugin {namespace}"


def _namespaces(recipe: str, known: Catalogue) -> set[str]:
    """The plugins of everything a recipe uses, defaults included; where one is missing, of what is written there.

    Raises:
        RecipeError: the recipe is refused for another reason than a plugin.
    """
    try:
        read = Recipe.read(recipe, catalogue=known)
    except RecipeError:
        path = Path(recipe) if Path(recipe).is_file() else getattr(known.recipe(recipe), "path", None)
        if path is None:
            raise
        tree = read_with_bases(path, Problems()).tree
        written = {name.partition("/")[0] for name in _names(tree, known)} | _activated(tree)
        usable = {plugin.namespace for plugin in known.plugins if plugin.usable}
        if written <= usable:
            raise
        return written
    return {spec.namespace for spec in read.components.values()} | set(read.config["plugins"])


def _names(node: Node, known: Catalogue, key: str = "") -> Iterator[str]:
    """The components written in a tree: under `use`, or text that is the name of one, installed or listed."""
    if isinstance(node, MapNode):
        for word, child in node.entries.items():
            yield from _names(child, known, word)
    elif isinstance(node, ListNode):
        for child in node.items:
            yield from _names(child, known)
    elif isinstance(node, Scalar) and isinstance(node.value, str):
        namespace, _, name = full_name(node.value).partition("/")
        entry = registry.known(namespace)
        listed = entry is not None and name in entry.components and "/" in node.value
        if key in ("use", "model") or listed or ("/" in node.value and known.find(node.value) is not None):
            yield full_name(node.value)


def _activated(tree: MapNode) -> set[str]:
    listed = tree.entries.get("plugins")
    items = listed.items if isinstance(listed, ListNode) else ()
    return {item.value for item in items if isinstance(item, Scalar) and isinstance(item.value, str)}
