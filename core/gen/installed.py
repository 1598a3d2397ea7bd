"""Finding the installed plugins: entry points name them, manifests describe them, nothing of theirs is imported.

One entry point of group `gen.plugins` per plugin: its key is the namespace, its value the hook module. The manifest
lies in the folder of the top-level package. Nothing is ever last-wins, and nothing a plugin does wrong is raised from
here: it becomes the plugin's state.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import attrs

from gen.current import compatible, current
from gen.errors import PluginError
from gen.hookspecs import API, GROUP
from gen.manifest import FILE, Manifest, folder_of
from gen.plugins import PluginRecord, RecipeFile

__all__ = ["declared", "installed"]

_NAMESPACE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_RESERVED = frozenset({"gen", "sdk", "local", "test"})


@cache
def installed() -> tuple[PluginRecord, ...]:
    """The installed plugins by namespace, each with what its manifest says."""
    return tuple(_described(record, record.folder) if record.usable else record for record in declared())


def declared() -> tuple[PluginRecord, ...]:
    """The plugins that entry points declare, by namespace, before any manifest is read."""
    found: dict[str, list[PluginRecord]] = {}
    for record in sorted(_claims(), key=lambda record: (record.namespace, record.distribution)):
        found.setdefault(record.namespace, []).append(_located(record))
    return tuple(record for rivals in found.values() for record in _settled(rivals))


def _claims() -> Iterator[PluginRecord]:
    """One record per entry point; of a distribution seen twice, the first on the path."""
    seen = set()
    for dist in distributions():
        try:
            points = [point for point in dist.entry_points if point.group == GROUP]
            name, version = _name_and_version(dist) if points else ("", "")
        except Exception:  # noqa: S112 (a distribution whose metadata cannot be read declares nothing)
            continue
        if points and name not in seen:
            seen.add(name)
            for point in points:
                hook = point.value.partition(":")[0].strip()
                yield PluginRecord(point.name, hook.partition(".")[0], name, version, None, hook=hook)


def _name_and_version(dist: Distribution) -> tuple[str, str]:
    """Both stand in the name of the `.dist-info` folder, which spares parsing the metadata."""
    stem = str(getattr(getattr(dist, "_path", None), "name", ""))
    name, _, version = stem.removesuffix(".dist-info").partition("-")
    if not stem.endswith(".dist-info") or not version:
        name, version = dist.name, dist.version
    return re.sub(r"[-_.]+", "-", name).lower(), version


def _broken(record: PluginRecord, reason: str) -> PluginRecord:
    remedy = f"repair or update {record.distribution}, or remove it: pip uninstall {record.distribution}"
    return attrs.evolve(record, state="broken", reason=reason, remedy=remedy)


def _located(record: PluginRecord) -> PluginRecord:
    """With its folder; broken where the namespace or the package cannot be."""
    if not _NAMESPACE.fullmatch(record.namespace):
        return _broken(record, f'"{record.namespace}" is no namespace: lower-case words joined by hyphens')
    if record.namespace in _RESERVED or (record.namespace == "core" and record.distribution != "gen-core"):
        return _broken(record, f'the namespace "{record.namespace}" is reserved')
    folder = folder_of(record.package)
    if folder is None:
        return _broken(record, f'its package "{record.package}" cannot be found')
    return attrs.evolve(record, folder=folder)


def _settled(claims: list[PluginRecord]) -> list[PluginRecord]:
    """The claims to one namespace: where several could serve, none does. A reserved name has one owner."""
    names = [record.distribution for record in claims]
    if len(claims) == 1 or claims[0].namespace == "core":
        return claims
    reason = f'the distributions {" and ".join(names)} both claim the namespace "{claims[0].namespace}"'
    remedy = "keep one: " + " or ".join(f"pip uninstall {name}" for name in names)
    return [attrs.evolve(record, state="conflict", reason=reason, remedy=remedy) for record in claims]


def _described(record: PluginRecord, folder: Path | None) -> PluginRecord:
    """With what its manifest says; the manifest of an editable install is made anew when it is stale."""
    assert folder is not None, "a plugin without a folder is broken"
    try:
        found = current(folder, record.namespace, record.hook, record.distribution)
    except PluginError as error:
        return _broken(record, str(error))
    if not compatible(found.api):
        return _incompatible(record, found.api)
    if any(name != record.namespace for name in _namespaces(found)):
        return _broken(record, f"its {FILE} speaks for another namespace: {', '.join(sorted(_namespaces(found)))}")
    recipes = (RecipeFile(name, folder / "recipes" / f"{name}.yaml", about) for name, about in found.recipes)
    made: dict[str, Any] = {"api": found.api, "components": found.components, "recipes": tuple(recipes)}
    made["commands"] = found.commands
    if found.unwritten:
        made |= {"state": "stale", "reason": found.unwritten, "remedy": f"gen plugin manifest {record.namespace}"}
    return attrs.evolve(record, **made)


def _incompatible(record: PluginRecord, api: tuple[int, int]) -> PluginRecord:
    reason = f"it was made for plugin interface {api[0]}.{api[1]}, this gen has {API[0]}.{API[1]}"
    remedy = f"pip install --upgrade {'gen-core' if api > API else record.distribution}"
    return attrs.evolve(record, state="incompatible", api=api, reason=reason, remedy=remedy)


def _namespaces(manifest: Manifest) -> set[str]:
    return {manifest.namespace, *(spec.namespace for spec in manifest.components)}
