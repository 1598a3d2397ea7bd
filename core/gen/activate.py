"""Importing what a recipe uses, and nothing else: the only place in core that imports plugins to use them.

An installed plugin runs no code until a recipe uses a component of it, or lists it under `plugins`.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import attrs
import pluggy

from gen import hookspecs, manifest
from gen.errors import PluginError, did_you_mean
from gen.hookspecs import Command
from gen.plugins import Catalogue, PluginRecord, catalogue
from gen.spec import ComponentSpec

__all__ = ["LOCAL", "activate", "load_class", "load_command", "local_plugin"]

LOCAL = "local"
"""The namespace of plugins that are one file, named by the person who runs."""


def activate(namespaces: Iterable[str], installed: Catalogue | None = None) -> pluggy.PluginManager:
    """Imports and registers the plugins of these namespaces, in order, and no others.

    Raises:
        PluginError: one is not installed, not usable, or fails as it is imported.
    """
    installed = installed or catalogue()
    manager = pluggy.PluginManager("gen")
    manager.add_hookspecs(hookspecs)
    for namespace in sorted(set(namespaces)):
        records = [plugin for plugin in installed.plugins if plugin.namespace == namespace]
        if not records:
            near = did_you_mean(namespace, [plugin.namespace for plugin in installed.plugins])
            raise PluginError(f'no plugin "{namespace}" is installed{f": {near}" if near else ""}')
        for record in records:
            if not record.usable:
                raise record.failure()
            name = namespace if namespace != LOCAL else f"{LOCAL}:{record.distribution}"
            manager.register(_import(record.hook, record), name=name)
    return manager


def load_class(spec: ComponentSpec, installed: Catalogue | None = None) -> type:
    """The class of a component, imported by the name that its manifest records.

    Raises:
        PluginError: the target is missing, needs a package that is missing, fails as it is imported, or is not a
            component of the kind that the manifest says; the message names plugin, distribution, version, remedy.
    """
    module, _, attribute = spec.target.partition(":")
    record = _owner(spec, installed or catalogue())
    cls = getattr(_import(module, record), attribute, None)
    if cls is None:
        raise _refused(record, f"{spec.name} should be {spec.target}, which does not exist", _rebuild(record))
    kind = getattr(cls, "kind", None)
    if not isinstance(cls, type) or "__gen_final__" not in vars(cls) or kind != spec.kind:
        raise _refused(record, f"{spec.target} is no component of kind {spec.kind}", _rebuild(record))
    return cls


def load_command(command: Command, record: PluginRecord) -> ModuleType:
    """The module of a command that this plugin adds, imported.

    Raises:
        PluginError: it fails as it is imported, or lacks `add` or `main`.
    """
    module = _import(command.target, record)
    missing = [name for name in ("add", "main") if not callable(getattr(module, name, None))]
    if missing:
        raise _refused(
            record, f"{command.target} is no command: it lacks {' and '.join(missing)}", f"repair {record.distribution}"
        )
    return module


def _owner(spec: ComponentSpec, installed: Catalogue) -> PluginRecord:
    """The plugin that registers the component: a namespace may be shared by several local files."""
    owners = [plugin for plugin in installed.plugins if spec in plugin.components]
    return owners[0] if owners else PluginRecord(spec.namespace, spec.target.partition(".")[0], "?", "?", None)


def _import(module: str, record: PluginRecord) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or "?"
        if module == missing or module.startswith(f"{missing}."):
            raise _refused(record, f"its module {module} does not exist", _rebuild(record)) from error
        package = missing.partition(".")[0]
        remedy = f"install what provides it, if nothing else is known: pip install {package}"
        raise _refused(record, f'{module} needs the package "{package}", which is missing', remedy) from error
    except (Exception, SystemExit) as error:
        reason = f"importing {module} failed with {manifest.last_line(error)}"
        raise _refused(
            record, reason, f"update or repair {record.distribution} (gen plugin why {record.namespace})"
        ) from error


def _refused(record: PluginRecord, reason: str, remedy: str) -> PluginError:
    return PluginError(f"plugin {record}: {reason}\n   {remedy}")


def _rebuild(record: PluginRecord) -> str:
    return f"its manifest and its code disagree: reinstall {record.distribution}, or gen plugin manifest"


def local_plugin(path: str | Path) -> PluginRecord:
    """A plugin that is one file (`--plugin ./mine.py`), namespace `local`: loaded, torch and all, and described.

    It has the same hook; a target may name the file's own classes by its stem, `Component("my-net", "mine:MyNet")`.
    Only this file is imported; its folder does not come onto the path.

    Raises:
        PluginError: it cannot be read, fails as it is imported, or its hook breaks a rule.
    """
    path = Path(path)
    home = f"gen_local_{path.stem}"
    record = PluginRecord(LOCAL, home, path.name, "(file)", path.parent, api=hookspecs.API, hook=home)
    if not path.is_file() or path.suffix != ".py":
        raise PluginError(f"--plugin {path}: there is no such Python file")
    module = _load_file(path, record)
    try:
        components = manifest.components_of(LOCAL, module, home=path.stem)
    except (Exception, SystemExit) as error:
        said = str(error) if isinstance(error, PluginError) else manifest.last_line(error)
        raise _refused(record, said, f"correct {path}") from error
    return attrs.evolve(record, components=components)


def _load_file(path: Path, record: PluginRecord) -> ModuleType:
    known = sys.modules.get(record.hook)
    if known is not None and Path(known.__file__ or "").resolve() == path.resolve():
        return known
    if known is not None:
        raise PluginError(f"--plugin {path}: another file called {path.name} is loaded already: rename one")
    spec = importlib.util.spec_from_file_location(record.hook, path.resolve())
    assert spec is not None, "a .py file has a loader"
    assert spec.loader is not None, "a .py file has a loader"
    module = importlib.util.module_from_spec(spec)
    sys.modules[record.hook] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[record.hook]
        raise _refused(record, f"it failed with {manifest.last_line(error)}", f"correct {path}") from error
    return module
