"""`gen-plugin.json`: what a plugin offers, written down, so that looking things up imports neither torch nor a plugin.

`compile` imports the plugin and makes the manifest, `read` reads it. `gen.current` decides which one to trust.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from gen import sources
from gen.commands import COMMANDS
from gen.errors import PluginError
from gen.hookspecs import Command
from gen.spec import ComponentSpec

if TYPE_CHECKING:
    import traceback

__all__ = ["FILE", "Manifest", "commands_of", "compile", "components_of", "folder_of", "last_line", "read"]

FILE = "gen-plugin.json"
FORMAT = 1
FRAMES = 6  # of a traceback that is shown

_KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@attrs.frozen
class Manifest:
    """The content of `gen-plugin.json`. `sources` maps files of the package (relative, posix) to their SHA-256.

    `recipes` are (name, about). `unwritten` says why a manifest made just now does not lie in the folder.
    """

    namespace: str
    package: str
    distribution: str
    api: tuple[int, int]
    components: tuple[ComponentSpec, ...] = ()
    recipes: tuple[tuple[str, str], ...] = ()
    commands: tuple[Command, ...] = ()
    sources: dict[str, str] = attrs.field(factory=dict)
    unwritten: str = ""

    def to_text(self) -> str:
        """Deterministic: sorted, no absolute path, no time."""
        record = {
            "manifest": FORMAT,
            "api": list(self.api),
            "namespace": self.namespace,
            "package": self.package,
            "distribution": self.distribution,
            "components": [spec.to_json() for spec in sorted(self.components, key=lambda spec: spec.name)],
            "recipes": [{"name": name, "about": about} for name, about in sorted(self.recipes)],
            "sources": dict(sorted(self.sources.items())),
        }
        if self.commands:
            record["commands"] = [attrs.asdict(command) for command in sorted(self.commands, key=lambda c: c.name)]
        return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_text(cls, text: str) -> Manifest:
        """The inverse of `to_text`; keys that a later gen may add are ignored.

        Raises:
            PluginError: the text is no manifest, or one of a format this gen does not know.
        """
        try:
            record = json.loads(text)
            if record["manifest"] != FORMAT:
                raise PluginError(f"its {FILE} has format {record['manifest']}, this gen reads format {FORMAT}")
            return cls(
                namespace=record["namespace"],
                package=record["package"],
                distribution=record["distribution"],
                api=(int(record["api"][0]), int(record["api"][1])),
                components=tuple(ComponentSpec.from_json(spec) for spec in record["components"]),
                recipes=tuple((recipe["name"], recipe["about"]) for recipe in record["recipes"]),
                commands=tuple(Command(c["name"], c["target"], c["about"]) for c in record.get("commands", ())),
                sources=dict(record["sources"]),
            )
        except PluginError:
            raise
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
            raise PluginError(f"its {FILE} is damaged ({type(error).__name__}: {error})") from error


def folder_of(package: str) -> Path | None:
    """The folder of a top-level package, found without importing it."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations or spec.origin is None:
        return None
    return Path(spec.origin).parent


def read(folder: Path) -> Manifest:
    """The manifest in a package's folder.

    Raises:
        PluginError: it is missing or damaged.
    """
    try:
        return Manifest.from_text((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PluginError(f"its wheel lacks {FILE}: its author must build it with `gen plugin manifest` done") from None
    except (OSError, UnicodeDecodeError) as error:
        raise PluginError(f"its {FILE} cannot be read ({error})") from error


def compile(namespace: str, package: str, *, hook: str = "", distribution: str = "") -> Manifest:
    """Imports a plugin, torch and all, and makes its manifest.

    Args:
        namespace: the key of its entry point.
        package: its top-level package.
        hook: its hook module; `<package>.plugin` unless told.
        distribution: the pip package; `gen-<namespace>` unless told.

    Raises:
        PluginError: the hook, a name or a class breaks a rule. What the plugin raises itself is let through.
    """
    import importlib

    from gen.hookspecs import API

    hook = hook or f"{package}.plugin"
    module = importlib.import_module(hook)
    folder = folder_of(package)
    if folder is None:
        raise PluginError(f'the package "{package}" cannot be found')
    components = components_of(namespace, module)
    return Manifest(
        namespace=namespace,
        package=package,
        distribution=distribution or f"gen-{namespace}",
        api=API,
        components=components,
        commands=commands_of(namespace, module),
        recipes=tuple((path.stem, _about(path)) for path in sorted(folder.glob("recipes/*.yaml"))),
        sources=sources.fingerprint(folder, hook, (spec.target.partition(":")[0] for spec in components)),
    )


def components_of(namespace: str, module: Any, home: str = "") -> tuple[ComponentSpec, ...]:
    """What the `gen_components` hook of a module registers, described from the classes, which are imported.

    Targets in the module `home` are looked for in `module` itself: the stem of a plugin that is one file.

    Raises:
        PluginError: a bad or doubled name, a bad target, or a target that is no component.
    """
    from gen.component import describe
    from gen.hookspecs import Component

    specs: dict[str, ComponentSpec] = {}
    for entry in _answers(namespace, module, "gen_components"):
        if not isinstance(entry, Component):
            raise PluginError(f"gen_components gave {entry!r}: it gives Component(name, target)")
        if not _KEBAB.fullmatch(entry.name):
            raise PluginError(f'"{entry.name}" is no name of a component: lower-case words joined by hyphens')
        name = f"{namespace}/{entry.name}"
        if name in specs:
            raise PluginError(f"{name} is registered twice: {specs[name].target} and {entry.target}")
        where, _, attribute = entry.target.partition(":")
        target = f"{module.__name__ if home and where == home else where}:{attribute}"
        specs[name] = describe(_class(target), name, target)
    return tuple(specs[name] for name in sorted(specs))


def commands_of(namespace: str, module: Any) -> tuple[Command, ...]:
    """What the `gen_commands` hook of a module adds; no target is imported.

    Raises:
        PluginError: a bad or doubled name, a name of gen's own, a target that is no module, nothing said about it.
    """
    found: dict[str, Command] = {}
    for entry in _answers(namespace, module, "gen_commands"):
        if not isinstance(entry, Command):
            raise PluginError(f"gen_commands gave {entry!r}: it gives Command(name, target, about)")
        if not _KEBAB.fullmatch(entry.name):
            raise PluginError(f'"{entry.name}" is no name of a command: lower-case words joined by hyphens')
        if entry.name in COMMANDS or entry.name == "help":
            raise PluginError(f"gen {entry.name} is gen's own command: choose another name for {entry.target}")
        if entry.name in found:
            raise PluginError(f"gen {entry.name} is added twice: by {found[entry.name].target} and {entry.target}")
        if not all(word.isidentifier() for word in entry.target.split(".")):
            raise PluginError(f'"{entry.target}" names no module: the target of a command is "package.module"')
        if not entry.about or "\n" in entry.about:
            raise PluginError(f"gen {entry.name} says nothing of itself: give it one line, `about`")
        found[entry.name] = entry
    return tuple(found[name] for name in sorted(found))


def _answers(namespace: str, module: Any, hook: str) -> Iterator[Any]:
    """What a hook of a module gives, one by one; nothing where it does not implement the hook."""
    import pluggy

    from gen import hookspecs

    manager = pluggy.PluginManager("gen")
    manager.add_hookspecs(hookspecs)
    manager.register(module, name=namespace)
    return (entry for answer in getattr(manager.hook, hook)() for entry in answer)


def _class(target: str) -> type:
    import importlib

    module, _, attribute = target.partition(":")
    cls = getattr(importlib.import_module(module), attribute, None)
    if cls is None:
        raise PluginError(f'"{target}" names nothing: a target is "package.module:Class"')
    if not isinstance(cls, type) or "__gen_final__" not in vars(cls):
        raise PluginError(f"{target} is no component: decorate the class with gen.component")
    return cls


def _about(path: Path) -> str:
    """The `about` of a shipped recipe; one that cannot be read has none (its own tests tell)."""
    import yaml

    try:
        record = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return ""
    about = record.get("about") if isinstance(record, dict) else None
    return about if isinstance(about, str) else ""


def main(argv: list[str]) -> int:
    """`python -m gen.manifest NAMESPACE HOOK DISTRIBUTION ANSWER`: compiles one plugin into the file ANSWER."""
    namespace, hook, distribution, answer = argv
    try:
        text = compile(namespace, hook.partition(".")[0], hook=hook, distribution=distribution).to_text()
    except PluginError as error:
        text = json.dumps({"failure": str(error)})
    except (Exception, SystemExit) as error:
        text = json.dumps({"failure": f"importing it failed with {last_line(error)}", "trace": trace(error)})
    Path(answer).write_text(text, encoding="utf-8")
    return 0


def last_line(error: BaseException) -> str:
    """What a traceback would end with, and the last place in a file."""
    theirs = _frames(error)
    place = f" ({Path(theirs[-1].filename).name}, line {theirs[-1].lineno})" if theirs else ""
    return f"{type(error).__name__}: {error}".splitlines()[0] + place


def trace(error: BaseException) -> list[str]:
    """The way to the error through files of the plugin and of what it imports: the last lines of it."""
    frames = [f"  {frame.filename}, line {frame.lineno}: {frame.line}" for frame in _frames(error)]
    return [*frames[-FRAMES:], f"  {type(error).__name__}: {error}".splitlines()[0]]


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Without those of the import system, of gen and of what gen hands classes to."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    ours = ("importlib", "gen", "attr", "pluggy")
    return [f for f in frames if Path(f.filename).is_file() and Path(f.filename).parent.name not in ours]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
