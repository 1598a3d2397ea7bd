"""`gen plugin why NAME`: why a plugin or a component is in its state, and what would cure it.

It is the one question that may import a plugin to be answered: in a process of its own, torch and all.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterator

from gen import registry
from gen.cli.table import table
from gen.current import compiled, shipped
from gen.errors import CommandError, PluginError, did_you_mean
from gen.hookspecs import API, GROUP
from gen.installed import installed
from gen.manifest import FILE
from gen.plugins import PluginRecord, full_name
from gen.spec import ComponentSpec

__all__ = ["add", "main"]

_MISSING = re.compile(r"ModuleNotFoundError: No module named '([A-Za-z0-9_]+)")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a namespace, a distribution, or a component's name")


def main(args: argparse.Namespace) -> int:
    namespace, component = args.name, ""
    if args.name not in {plugin.namespace for plugin in installed()}:
        namespace, slash, component = args.name.partition("/")
        found = [plugin for plugin in installed() if args.name in (plugin.distribution, plugin.package)]
        namespace = found[0].namespace if found and not slash else namespace
    plugins = [plugin for plugin in installed() if plugin.namespace == namespace]
    if not plugins:
        print(_absent(args.name, namespace))
        return 0
    print("\n\n".join(_explained(plugin) for plugin in plugins))
    if component:
        print("\n" + _component(full_name(args.name), plugins))
    return 0


def _absent(name: str, namespace: str) -> str:
    """What is known of a plugin that is not installed.

    Raises:
        CommandError: nothing is.
    """
    entry = registry.known(namespace)
    if entry is None:
        names = [word for plugin in installed() for word in (plugin.namespace, plugin.distribution)]
        near = did_you_mean(name, names) or "gen plugin list shows what is installed, gen plugin search what there is"
        raise CommandError(f'gen plugin why: no plugin "{name}" is installed or listed in the yellow pages\n   {near}')
    return f"{namespace}   not installed; it is in {entry.package}: {entry.summary}\n   {entry.install}"


def _explained(plugin: PluginRecord) -> str:
    """One claim to a namespace: where it was found, what it says of itself, what importing it does."""
    rows = [
        ("distribution", f"{plugin.distribution} {plugin.version}"),
        ("entry point", f"{GROUP}: {plugin.namespace} = {plugin.hook}"),
        ("found in", _place(plugin)),
        ("manifest", _manifest(plugin)),
    ]
    if plugin.reason:
        rows.append(("reason", plugin.reason))
    remedy, traced = plugin.remedy, ""
    if plugin.state in ("ok", "stale", "broken") and plugin.folder is not None:
        said, traced, cure = _import(plugin)
        rows.append(("import", said))
        remedy = cure or remedy
    if remedy:
        rows.append(("remedy", remedy))
    return "\n".join(filter(None, (f"{plugin.namespace}   a plugin, {plugin.state}", table(rows), traced)))


def _place(plugin: PluginRecord) -> str:
    if plugin.folder is None:
        return f'nowhere: no package "{plugin.package}" is on the path'
    return f"{plugin.folder} ({'a wheel' if shipped(plugin.folder) else 'an editable install'})"


def _manifest(plugin: PluginRecord) -> str:
    if plugin.api is None or plugin.folder is None:
        return f"{FILE} was not read" if plugin.state == "conflict" else f"no {FILE} that can be used"
    made = f"made for plugin interface {plugin.api[0]}.{plugin.api[1]}, here is {API[0]}.{API[1]}"
    return f"{FILE}: {len(plugin.components)} components, {len(plugin.recipes)} recipes, {made}"


def _import(plugin: PluginRecord) -> tuple[str, str, str]:
    """What importing its hook and its components does: a sentence, the trimmed traceback, the remedy."""
    start = time.monotonic()
    try:
        compiled(plugin.namespace, plugin.hook, plugin.distribution)
    except PluginError as error:
        missing = _MISSING.search(str(error))
        own = missing is not None and missing[1] == plugin.package
        cure = f"install what provides it: pip install {missing[1]}" if missing is not None and not own else ""
        again = f"update or repair it, or remove it: pip uninstall {plugin.distribution}"
        return str(error), "\n".join(getattr(error, "__notes__", ())), cure or plugin.remedy or again
    return f"works, {time.monotonic() - start:.1f} s in a process of its own", "", ""


def _component(name: str, plugins: list[PluginRecord]) -> str:
    """Whether the component is there, and where its class is."""
    specs = [spec for plugin in plugins for spec in plugin.components]
    for spec in specs:
        if spec.name == name:
            return "\n".join(_described(spec))
    near = did_you_mean(name, [spec.name for spec in specs])
    listed = registry.known(name)
    if listed is not None and name.partition("/")[2] in listed.components:
        return f"{name}   not in what is installed; {listed.package} has it now: pip install --upgrade {listed.package}"
    return f"{name}   no such component in what is installed{f': {near}' if near else ''}"


def _described(spec: ComponentSpec) -> Iterator[str]:
    yield f"{spec.name}   a component of kind {spec.kind}"
    yield table([("class", spec.target), ("about", spec.summary)])
