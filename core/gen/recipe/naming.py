"""From the name in a recipe to a component: found, or told why not and what to do."""

from __future__ import annotations

import re

from gen import registry
from gen.errors import did_you_mean
from gen.plugins import PluginRecord, full_name
from gen.recipe.context import Context, a, brief, installed
from gen.recipe.nodes import UNREADABLE, ListNode, Node, Scalar
from gen.spec import ComponentSpec, show

__all__ = ["check_plugins", "find_component"]

_WORD = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
_NAME = re.compile(f"({_WORD}/)?{_WORD}")
_ADJECTIVE = {"conflict": "contested"}


def find_component(ctx: Context, path: str, node: Node, kind: str) -> ComponentSpec | None:
    """The component of a kind that a node names; None where that failed and was reported."""
    name = node.value if isinstance(node, Scalar) else None
    if name is UNREADABLE:
        return None
    if not isinstance(name, str):
        got = show(name) if isinstance(node, Scalar) else "a list" if isinstance(node, ListNode) else "a mapping"
        message = f"{path} takes {a(kind)} (NAME or {{use: NAME, …}}), got {got}"
        ctx.problems.add("wrong-type", message, node.place)
        return None
    spec = ctx.catalogue.find(name) if _NAME.fullmatch(name) else None
    if spec is None:
        _explain(ctx, name, node, kind)
    elif spec.kind != kind:
        message = f"{path} takes {a(kind)}, but {brief(spec.name)} is {a(spec.kind)}"
        ctx.problems.add("wrong-kind", message, node.place, notes=[installed(ctx.catalogue, kind)])
        spec = None
    return spec


def _explain(ctx: Context, name: str, node: Node, kind: str) -> None:
    hint = _nearest(ctx, name, kind)
    if not _NAME.fullmatch(name):
        remedy = hint or "names look like namespace/name"
        ctx.problems.add("component-name", f"{show(name)} is not a component name", node.place, remedy)
        return
    namespace = full_name(name).partition("/")[0]
    plugin = ctx.catalogue.plugin(namespace)
    if plugin is not None and not plugin.usable:
        _report_failed(ctx, plugin, f'"{name}" needs the plugin {namespace}', node)
    elif plugin is not None or namespace == "core" or (hint and registry.known(namespace) is None):
        message = f'no {kind} is called "{name}"'
        ctx.problems.add("unknown-component", message, node.place, hint, [installed(ctx.catalogue, kind)])
    else:
        _report_missing(ctx, namespace, f'"{name}" needs the plugin "{namespace}"', node)


def _report_failed(ctx: Context, plugin: PluginRecord, need: str, node: Node) -> None:
    state = _ADJECTIVE.get(plugin.state, plugin.state)
    ctx.problems.add(
        f"{state}-plugin",
        f"{need} ({plugin.distribution} {plugin.version}), which is {state}: {plugin.reason}",
        node.place,
        plugin.remedy,
        [f"(gen plugin why {plugin.namespace})"],
    )


def _report_missing(ctx: Context, namespace: str, need: str, node: Node) -> None:
    entry = registry.known(namespace)
    if namespace == "local":
        remedy = "local is the plugin that is one file: name it with --plugin FILE"
    elif entry is not None:
        remedy = f"pip install {entry.package}"
    else:
        near = did_you_mean(namespace, [plugin.namespace for plugin in ctx.catalogue.plugins])
        remedy = near or "no package is known to provide it"
    ctx.problems.add("missing-plugin", f"{need}, which is not installed", node.place, remedy)


def _nearest(ctx: Context, name: str, kind: str) -> str:
    """The component meant: one of that name in another plugin, else the nearest name."""
    specs = ctx.catalogue.of_kind(kind)
    same = [spec.name for spec in specs if spec.name.partition("/")[2] == name.rpartition("/")[2]]
    if same:
        return f'did you mean "{brief(same[0])}"?'
    return did_you_mean(name[:100], [brief(spec.name) for spec in specs])


def check_plugins(ctx: Context, namespaces: list[str], nodes: list[Node]) -> None:
    """Each plugin listed under `plugins:` is there and usable."""
    for namespace, node in zip(namespaces, nodes, strict=True):
        plugin = ctx.catalogue.plugin(namespace)
        if plugin is None:
            _report_missing(ctx, namespace, f'the recipe needs the plugin "{namespace}"', node)
        elif not plugin.usable:
            _report_failed(ctx, plugin, f"the recipe needs the plugin {namespace}", node)
