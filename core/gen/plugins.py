"""Which plugins there are and what they offer, from manifests alone: neither torch nor a plugin is imported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import attrs

from gen.errors import PluginError
from gen.hookspecs import Command
from gen.spec import ComponentSpec

__all__ = ["Catalogue", "PluginRecord", "RecipeFile", "State", "catalogue", "full_name"]

State = Literal["ok", "stale", "incompatible", "conflict", "broken"]


@attrs.frozen
class RecipeFile:
    """A recipe shipped by a plugin, `gen_<namespace>/recipes/NAME.yaml`; its name is the file's stem."""

    name: str
    path: Path
    about: str = ""


@attrs.frozen
class PluginRecord:
    """An installed plugin. `package` is its top-level import name, `hook` its hook module.

    `state`: ok; stale (its manifest had to be rebuilt and could not be written); incompatible (another version of the
    plugin interface); conflict (two distributions claim the namespace); broken (`reason` says why).
    """

    namespace: str
    package: str
    distribution: str
    version: str
    folder: Path | None
    state: State = "ok"
    reason: str = ""
    remedy: str = ""
    api: tuple[int, int] | None = None
    components: tuple[ComponentSpec, ...] = ()
    recipes: tuple[RecipeFile, ...] = ()
    commands: tuple[Command, ...] = ()
    hook: str = ""

    @property
    def usable(self) -> bool:
        return self.state in ("ok", "stale")

    def failure(self) -> PluginError:
        """The error for whoever needs this plugin while it is not usable."""
        return PluginError(f"plugin {self} is {self.state}: {self.reason}\n   {self.remedy}".rstrip())

    def __str__(self) -> str:
        return f"{self.namespace} ({self.distribution} {self.version})"


@attrs.frozen
class Catalogue:
    """The plugins of this environment, by namespace; components and recipes of the usable ones can be found."""

    plugins: tuple[PluginRecord, ...]
    _index: dict[str, ComponentSpec] = attrs.field(init=False, repr=False, eq=False)

    @_index.default
    def _index_by_name(self) -> dict[str, ComponentSpec]:
        return {spec.name: spec for plugin in self.plugins if plugin.usable for spec in plugin.components}

    def find(self, name: str) -> ComponentSpec | None:
        """The component `namespace/name`; a bare name is core's."""
        return self._index.get(full_name(name))

    def of_kind(self, kind: str) -> tuple[ComponentSpec, ...]:
        """The components of a kind, by name."""
        return tuple(self._index[name] for name in sorted(self._index) if self._index[name].kind == kind)

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(sorted({spec.kind for spec in self._index.values()}))

    def plugin(self, namespace: str) -> PluginRecord | None:
        """The plugin of a namespace; where two claim it, the first, whose reason names both."""
        return next((plugin for plugin in self.plugins if plugin.namespace == namespace), None)

    def recipe(self, name: str) -> RecipeFile | None:
        """The shipped recipe `name`, or `namespace/name` where several plugins ship one of that name.

        Raises:
            PluginError: several plugins ship one and no namespace was given.
        """
        wanted, _, stem = name.rpartition("/")
        found = [
            (plugin.namespace, recipe)
            for plugin in self.plugins
            if plugin.usable and wanted in ("", plugin.namespace)
            for recipe in plugin.recipes
            if recipe.name == stem
        ]
        if len(found) > 1:
            names = " or ".join(f"{namespace}/{stem}" for namespace, _ in found)
            raise PluginError(f'{len(found)} plugins ship a recipe called "{stem}": write {names}')
        return found[0][1] if found else None


def full_name(name: str) -> str:
    """`adam` → `core/adam`; any other name is full already."""
    return name if "/" in name else f"core/{name}"


def catalogue(extra: Sequence[PluginRecord] = ()) -> Catalogue:
    """The installed plugins, and `extra` ones (local files); the installed are looked up once per process."""
    from gen.installed import installed

    return Catalogue((*installed(), *extra))
