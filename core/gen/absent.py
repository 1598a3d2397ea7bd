"""What to say when a trained model names a component that is not here: whose it was, and the line that brings it.

A run records the plugins it was made with; a stranger's record is text, so it is shown only where it reads as a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gen import registry
from gen.errors import PluginError, did_you_mean
from gen.plugins import Catalogue, full_name

__all__ = ["absent", "owners", "require"]

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_FILE = "(file)"


def owners(config: Any, known: Catalogue) -> dict[str, dict[str, str]]:
    """Distribution and version, by namespace, of the plugins that a resolved piece of a recipe uses."""
    namespaces = {full_name(name).partition("/")[0] for name in _names(config)}
    records = [known.plugin(namespace) for namespace in sorted(namespaces)]
    return {r.namespace: {"distribution": r.distribution, "version": r.version} for r in records if r is not None}


def _names(config: Any) -> Iterator[str]:
    children = config.values() if isinstance(config, Mapping) else config if isinstance(config, list) else ()
    if isinstance(config, Mapping) and isinstance(config.get("use"), str):
        yield config["use"]
    for child in children:
        yield from _names(child)


def absent(name: str, known: Catalogue, recorded: Any) -> PluginError:
    """The error for a component that no usable plugin has.

    Args:
        name: its full name.
        recorded: what `owners` gave when the model was saved; anything else counts as nothing known.
    """
    namespace = name.partition("/")[0]
    plugin = known.plugin(namespace)
    if plugin is None:
        return _missing(f'"{name}"', namespace, recorded)
    if not plugin.usable:
        return plugin.failure()
    here = [spec.name for spec in plugin.components]
    made, line = ("", did_you_mean(name, here))
    if _recorded(recorded, namespace)[1] not in ("", _FILE, plugin.version):
        made, line = _made(namespace, recorded)
    return PluginError(f'plugin {plugin} has no component "{name}"{made}\n   {line or "gen ls shows what it has"}')


def require(recorded: Any, known: Catalogue) -> None:
    """Refuses to go on with a run one of whose plugins is not installed; `recorded` as for `absent`.

    Raises:
        PluginError: it names the first one, and the line that installs it.
    """
    for namespace in recorded if isinstance(recorded, Mapping) else ():
        if _WORD.fullmatch(namespace) and known.plugin(namespace) is None:
            raise _missing("the run", namespace, recorded)


def _missing(what: str, namespace: str, recorded: Any) -> PluginError:
    distribution, version = _recorded(recorded, namespace)
    if version == _FILE:
        return PluginError(f"{what} needs the plugin file {distribution}\n   name it: --plugin {distribution}")
    made, line = _made(namespace, recorded)
    line = line or f"see gen plugin search {namespace}"
    return PluginError(f'{what} needs the plugin "{namespace}", which is not installed{made}\n   {line}')


def _made(namespace: str, recorded: Any) -> tuple[str, str]:
    """What a record says of a plugin, in brackets, and the line that brings it; the yellow pages know better."""
    distribution, version = _recorded(recorded, namespace)
    entry = registry.known(namespace)
    package = entry.package if entry is not None else distribution
    pin = f"=={version}" if version and package == distribution else ""
    made = f" (it was made with {distribution} {version})" if version else ""
    return made, f"pip install {package}{pin}" if package else ""


def _recorded(recorded: Any, namespace: str) -> tuple[str, str]:
    entry = recorded.get(namespace) if isinstance(recorded, Mapping) else None
    if not isinstance(entry, Mapping):
        return "", ""
    distribution, version = str(entry.get("distribution", "")), str(entry.get("version", ""))
    if not _WORD.fullmatch(distribution):
        return "", ""
    return distribution, version if version == _FILE or _WORD.fullmatch(version) else ""
