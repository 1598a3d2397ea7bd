"""`gen plugin manifest`: writes the manifests of plugins that are installed editable, and this checkout's registry."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from gen import registry
from gen.current import compiled, shipped
from gen.errors import CommandError, PluginError, did_you_mean
from gen.files import write_whole
from gen.installed import declared
from gen.manifest import FILE, Manifest, read
from gen.plugins import PluginRecord

__all__ = ["add", "main"]


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="NAMESPACE", help="which; all that are installed editable, if none")
    parser.add_argument("--check", action="store_true", help="write nothing, fail where a file would change")
    parser.add_argument("--registry", action="store_true", help="only registry.yaml, from the manifests there")


def main(args: argparse.Namespace) -> int:
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
