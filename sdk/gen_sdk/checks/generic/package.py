"""What a plugin's package must be: cheap to look at, its manifest true and shipped. Answers are kept for a plugin."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

from gen.activate import LOCAL
from gen.current import shipped
from gen.errors import PluginError
from gen.manifest import FILE, compile, last_line, read
from gen_sdk.checks.check import Failure, NotApplicable, check, expect
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS"]

HEAVY = ("torch", "numpy", "scipy", "sklearn", "PIL", "transformers", "matplotlib", "pandas")
"""Packages that take a noticeable part of a second to import, or seconds."""


def _packaged(subject: Subject) -> str:
    return "a plugin of one file has no package" if subject.plugin.namespace == LOCAL else ""


@check(
    tier="bronze",
    applies=_packaged,
    hint="import nothing in plugin.py and in the package's __init__ but gen.plugin: targets are strings",
)
def hook_module_imports_nothing_heavy(subject: Subject) -> None:
    """The hook module of its plugin imports neither torch nor another heavy package, prints nothing and ends well."""
    said = _hook(subject.plugin.hook)
    if said:
        raise Failure(said)


@cache
def _hook(hook: str) -> str:
    """What is wrong with importing a hook module in a fresh process, or nothing."""
    code = (
        "import sys, importlib\n"
        f"importlib.import_module({hook!r})\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    paths = [entry for entry in sys.path if entry]
    line = f"import sys; sys.path[:0] = {paths!r}\n{code}"
    try:
        command = [sys.executable, "-P", "-c", line]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return f"importing {hook} takes more than 60 s"
    if done.returncode:
        return f"importing {hook} fails: {done.stderr.strip().splitlines()[-1:]}"
    if done.stdout:
        return f"importing {hook} prints {done.stdout[:60]!r}"
    heavy = done.stderr.strip().splitlines()[-1:]
    return f"importing {hook} imports {heavy[0]}" if heavy and heavy[0] else ""


@check(tier="bronze", applies=_packaged, hint="run gen plugin manifest, and commit what it writes")
def manifest_is_in_step(subject: Subject) -> None:
    """The manifest in the package says what the code says: made anew, it is the same."""
    plugin = subject.plugin
    assert plugin.folder is not None, "a usable plugin has a folder"
    said = _drift(plugin.namespace, plugin.package, plugin.hook, plugin.distribution, plugin.folder)
    if said:
        raise Failure(said)


@cache
def _drift(namespace: str, package: str, hook: str, distribution: str, folder: Path) -> str:
    """How a plugin's manifest differs from one made anew, or nothing."""
    try:
        stored, made = read(folder), compile(namespace, package, hook=hook, distribution=distribution)
    except PluginError as error:
        return str(error)
    except (Exception, SystemExit) as error:
        return f"making it anew fails with {last_line(error)}"
    if stored.to_text() == made.to_text():
        return ""
    old, new = ({spec.name: spec.to_json() for spec in one.components} for one in (stored, made))
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return f"{FILE} differs from the code: {', '.join(names) or 'its sources or recipes'}"


@check(
    tier="bronze",
    applies=_packaged,
    hint='keep gen-plugin.json out of .gitignore and of "exclude", and inside the packages that the wheel takes',
)
def manifest_is_in_the_wheel(subject: Subject) -> None:
    """A wheel of its package ships the manifest: without it an installed plugin is broken."""
    folder = subject.plugin.folder
    assert folder is not None, "a usable plugin has a folder"
    if shipped(folder):
        expect((folder / FILE).is_file(), f"the installed package has no {FILE}")
        return
    root = next((parent for parent in folder.parents if (parent / "pyproject.toml").is_file()), None)
    if root is None:
        raise NotApplicable("its package has no pyproject.toml")
    expect(f"{folder.name}/{FILE}" in _wheel(root), f"a wheel built in {root.name} leaves {folder.name}/{FILE} out")


@cache
def _wheel(root: Path) -> frozenset[str]:
    """The files that hatchling would put into the wheel of a project."""
    import tomllib

    backend = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8")).get("build-system", {})
    if backend.get("build-backend") != "hatchling.build":
        raise NotApplicable("its wheel is not built by hatchling: check it installed from a wheel")
    try:
        from hatchling.builders.wheel import WheelBuilder
    except ModuleNotFoundError:
        raise NotApplicable("hatchling is not installed here: check it installed from a wheel") from None
    return frozenset(file.distribution_path for file in WheelBuilder(str(root)).recurse_included_files())


CHECKS = (hook_module_imports_nothing_heavy, manifest_is_in_step, manifest_is_in_the_wheel)
