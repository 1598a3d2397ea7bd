"""`gen show NAME`: a component's documentation, options and slots; or what a plugin is."""

from __future__ import annotations

import argparse
import textwrap
from typing import Any

from gen.cli.arguments import add_plugin, known_plugins
from gen.cli.ls import plural
from gen.cli.table import table
from gen.errors import CommandError, did_you_mean
from gen.plugins import Catalogue, PluginRecord, full_name
from gen.spec import ComponentSpec, OptionSpec, SlotSpec, show

__all__ = ["add", "main", "missing"]


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a component as gen ls lists it, or a plugin's namespace")
    add_plugin(parser)


def main(args: argparse.Namespace) -> int:
    known = known_plugins(args)
    spec, plugin = known.find(args.name), known.plugin(args.name)
    if spec is not None:
        print(_component(spec, known))
    elif plugin is not None:
        print(_plugin(plugin))
    else:
        raise CommandError(missing(args.name, known))
    return 0


def missing(name: str, known: Catalogue) -> str:
    """Why there is no component of this name: its plugin is unusable or not installed, or the name is mistyped."""
    if known.recipe(name) is not None:
        return f'gen show: "{name}" is a recipe: gen cat {name}'
    namespace = full_name(name).partition("/")[0]
    owner = known.plugin(namespace)
    if owner is not None and not owner.usable:
        return str(owner.failure())
    names = [spec.name for kind in known.kinds for spec in known.of_kind(kind)]
    near = did_you_mean(full_name(name), names) or did_you_mean(name, [one.partition("/")[2] for one in names])
    if near:
        return f'gen show: there is no component "{name}": {near}'
    if owner is None and "/" in name:
        from gen.registry import known as listed

        entry = listed(name)
        hint = f"it is in {entry.package}: {entry.install}" if entry else f'no installed plugin is called "{namespace}"'
        return f'gen show: there is no component "{name}": {hint}'
    return f'gen show: there is no component "{name}" (gen ls lists them)'


def _component(spec: ComponentSpec, known: Catalogue) -> str:
    owner = known.plugin(spec.namespace)
    blocks = [f"{spec.name}   {spec.kind}, from {owner.distribution} {owner.version}" if owner else spec.name]
    blocks.append(textwrap.fill(spec.summary, 100))
    if spec.doc:
        blocks.append(spec.doc)
    if spec.options:
        blocks.append("options\n" + table(map(_option, spec.options)))
    if spec.slots:
        blocks.append("slots\n" + table(map(_slot, spec.slots)))
    traits = [
        ("can", spec.capabilities),
        ("phases", spec.phases),
        ("needs", spec.needs),
        ("starts from", spec.given),
        ("better", (spec.better,) if spec.better else ()),
    ]
    rows = [(word, ", ".join(values)) for word, values in traits if values]
    if rows:
        blocks.append(table(rows, indent=""))
    return "\n\n".join(blocks)


def _option(option: OptionSpec) -> tuple[str, str, str, str, str]:
    return option.name, option.wants, _default(option), option.allowed, option.doc


def _slot(slot: SlotSpec) -> tuple[str, str, str, str]:
    wants = plural(slot.kind) if slot.many or slot.labelled else slot.kind
    if slot.labelled:
        wants += ", each under a label"
    return slot.name, f"{wants} or null" if slot.nullable else wants, _default(slot), slot.doc


def _default(field: OptionSpec | SlotSpec) -> str:
    return "required" if field.required else f"= {_written(field.default)}"


def _written(value: Any) -> str:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_written(item)}" for key, item in value.items()) + "}"
    return show(value)


def _plugin(plugin: PluginRecord) -> str:
    head = f"{plugin.namespace}   a plugin, {plugin.distribution} {plugin.version}, {plugin.state}"
    if not plugin.usable:
        return f"{head}\n\n{plugin.reason}\n{plugin.remedy}"
    blocks = [head, table([(spec.name, spec.kind, spec.summary) for spec in plugin.components])]
    if plugin.recipes:
        blocks.append("recipes\n" + table([(recipe.name, recipe.about) for recipe in plugin.recipes]))
    return "\n\n".join(block for block in blocks if block)
