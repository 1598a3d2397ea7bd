"""`gen plugin list | search | manifest`: what is installed and in what state; the yellow pages; writing manifests."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from gen import registry
from gen.cli.ls import plugins_table
from gen.cli.table import table
from gen.current import compiled, shipped
from gen.errors import CommandError, PluginError, did_you_mean
from gen.files import write_whole
from gen.installed import declared
from gen.manifest import FILE, Manifest, read
from gen.plugins import PluginRecord, catalogue

__all__ = ["add", "main"]


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=list(_ACTIONS), metavar="|".join(_ACTIONS), help="; ".join(_HELP))
    parser.add_argument(
        "words", nargs="*", metavar="NAME", help="manifest: namespaces (all editable ones); search: a word"
    )
    parser.add_argument("--json", action="store_true", help="list: for programs")
    parser.add_argument("--check", action="store_true", help="manifest: write nothing, fail where a file would change")
    parser.add_argument(
        "--registry", action="store_true", help="manifest: only registry.yaml, from the manifests there"
    )


def main(args: argparse.Namespace) -> int:
    return _ACTIONS[args.action](args)


def _list(args: argparse.Namespace) -> int:
    known = catalogue()
    print(json.dumps([_record(plugin) for plugin in known.plugins], indent=2) if args.json else plugins_table(known))
    return 0


def _record(plugin: PluginRecord) -> dict[str, Any]:
    return {
        "namespace": plugin.namespace,
        "package": plugin.package,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "folder": str(plugin.folder) if plugin.folder else None,
        "state": plugin.state,
        "reason": plugin.reason,
        "remedy": plugin.remedy,
        "api": list(plugin.api) if plugin.api else None,
        "components": [spec.name for spec in plugin.components],
        "recipes": [recipe.name for recipe in plugin.recipes],
    }


def _search(args: argparse.Namespace) -> int:
    if len(args.words) != 1:
        raise CommandError("gen plugin search: name one word: gen plugin search diffusion")
    installed = {plugin.namespace for plugin in declared()}
    for entry, names in registry.search(args.words[0]):
        print(f"{entry.namespace}  {entry.summary}  ({'installed' if entry.namespace in installed else entry.install})")
        if names:
            print(table([(name, entry.components[name.partition("/")[2]]) for name in names]))
    return 0


def _manifest(args: argparse.Namespace) -> int:
    made: dict[str, Manifest] = {}
    failed = False
    for plugin in [] if args.registry else _chosen(args.words):
        try:
            made[plugin.namespace] = compiled(plugin.namespace, plugin.hook, plugin.distribution)
        except PluginError as error:
            print(f"plugin {plugin}: {error}", file=sys.stderr)
            failed = True
    texts = {folder / FILE: made[name].to_text() for name, folder in _editable().items() if name in made}
    pages = registry.checkout_file()
    if pages is not None:
        old = pages.read_text(encoding="utf-8") if pages.is_file() else ""
        texts[pages] = registry.updated(old, _ours(pages.parent, made))
    changed = [path for path, text in texts.items() if _put(path, text, args.check)]
    return 2 if failed or (args.check and changed) else 0


def _editable() -> dict[str, Path]:
    """The folders of the plugins that are installed editable, by namespace."""
    folders = {plugin.namespace: plugin.folder for plugin in declared() if plugin.usable}
    return {name: folder for name, folder in folders.items() if folder is not None and not shipped(folder)}


def _chosen(namespaces: Sequence[str]) -> list[PluginRecord]:
    editable = _editable()
    for name in namespaces:
        if name not in editable:
            near = did_you_mean(name, list(editable))
            raise CommandError(
                f'gen plugin manifest: no plugin "{name}" is installed editable'
                f"{f': {near}' if near else ''}\n   there are: {', '.join(editable) or 'none'}"
            )
    return [plugin for plugin in declared() if plugin.namespace in (namespaces or editable)]


def _ours(checkout: Path, made: Mapping[str, Manifest]) -> list[Manifest]:
    """The manifests of this checkout: as made just now, else as they lie there; one that is damaged is left out."""
    found = []
    for name, folder in _editable().items():
        if checkout in folder.resolve().parents:
            with suppress(PluginError):
                found.append(made[name] if name in made else read(folder))
    return found


def _put(path: Path, text: str, check: bool) -> bool:
    """Whether a file differs from what it should be; it is written then, unless this is a check, and that is said."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    if not check:
        write_whole(path, text)
    print(f"{path}: {'out of date (gen plugin manifest)' if check else 'written'}")
    return True


_ACTIONS = {"list": _list, "search": _search, "manifest": _manifest}
_HELP = ("list: the installed plugins and their states", "search: which package holds something", "manifest: write it")
