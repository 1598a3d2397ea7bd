"""`gen ls`: what is installed, one line each."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from gen.cli.arguments import add_plugin, known_plugins
from gen.cli.table import table
from gen.errors import CheckpointError, CommandError, did_you_mean
from gen.plugins import Catalogue, PluginRecord
from gen.spec import ComponentSpec

__all__ = ["add", "main"]


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        nargs="?",
        default="components",
        metavar="WHAT",
        help="components (default), a kind such as encoders, a namespace, recipes, plugins or runs",
    )
    parser.add_argument("--runs", default="runs", metavar="DIR", help="where the runs are (runs)")
    add_plugin(parser)


def main(args: argparse.Namespace) -> int:
    if args.what == "runs":
        print(_runs(Path(args.runs)))
        return 0
    known = known_plugins(args)
    print(_listing(known, args.what))
    for plugin in known.plugins:
        if not plugin.usable and args.what != "plugins":
            print(
                f"gen: the plugin {plugin} is left out, it is {plugin.state} (gen plugin why {plugin.namespace})",
                file=sys.stderr,
            )
    return 0


def _listing(known: Catalogue, what: str) -> str:
    kind = next((kind for kind in known.kinds if what in (kind, plural(kind))), None)
    namespace = known.plugin(what)
    if what == "components":
        return "\n\n".join(_kind(known.of_kind(kind), kind) for kind in known.kinds) or "no component is installed"
    if kind is not None:
        return _lines(known.of_kind(kind))
    if what in ("recipe", "recipes"):
        rows = [
            (recipe.name, plugin.namespace, recipe.about)
            for plugin in known.plugins
            if plugin.usable
            for recipe in plugin.recipes
        ]
        return table(sorted(rows), indent="") or "no installed plugin ships a recipe"
    if what in ("plugin", "plugins"):
        return plugins_table(known)
    if namespace is not None:
        return _lines(namespace.components) or f"{namespace} has no components: it is {namespace.state}"
    words = [*map(plural, known.kinds), *(plugin.namespace for plugin in known.plugins), "recipes", "plugins", "runs"]
    near = did_you_mean(what, words)
    raise CommandError(
        f'gen ls: nothing is called "{what}"{f": {near}" if near else ""}\n   it lists: {", ".join(words)}'
    )


def plural(kind: str) -> str:
    """`encoders`, `adversarial-losses`, `densities`."""
    if kind.endswith("y"):
        return f"{kind[:-1]}ies"
    return f"{kind}es" if kind.endswith("s") else f"{kind}s"


def plugins_table(known: Catalogue) -> str:
    """Namespace, package, version, state, what is in it or what is wrong."""
    return table(
        [
            (
                plugin.namespace,
                plugin.distribution,
                plugin.version,
                plugin.state,
                plugin.reason or _held(plugin),
            )
            for plugin in known.plugins
        ],
        indent="",
    )


def _held(plugin: PluginRecord) -> str:
    commands = f", {len(plugin.commands)} commands" if plugin.commands else ""
    return f"{len(plugin.components)} components, {len(plugin.recipes)} recipes{commands}"


def _kind(specs: Sequence[ComponentSpec], kind: str) -> str:
    return f"{plural(kind)}\n{_lines(specs, indent='  ')}"


def _lines(specs: Sequence[ComponentSpec], indent: str = "") -> str:
    return table([(spec.name, spec.summary) for spec in specs], indent)


def _runs(parent: Path) -> str:
    found = sorted(parent.glob("*/[0-9]*/run.json"))
    return table([_run(path.parent) for path in found], indent="") or f"no run in {parent.resolve()}"


def _run(folder: Path) -> tuple[str, str, str, str, str]:
    from gen.files import read_json

    try:
        status = read_json(folder / "status.json")
    except (CheckpointError, OSError):
        return str(folder), "unreadable", "", "", "its status.json is missing or damaged"
    if not isinstance(status, dict):
        return str(folder), "unreadable", "", "", "its status.json is damaged"
    beat = status.get("heartbeat")
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(beat)) if isinstance(beat, int | float) else ""
    steps = f"step {status.get('step')} of {status.get('steps')}"
    return str(folder), str(status.get("state")), steps, when, str(status.get("reason") or "")
