"""The kit on trial: for every generic check a realistic fault, caught by the check meant for it; sound ones pass.

The faults are components of the one-file plugins in `planted/`; `gen plugin check sdk/tests/planted/learning.py` shows
them. Faults of whole packages are planted here. Those of the checks by kind stand in `kinds/`.
"""

from __future__ import annotations

import importlib
import random
from pathlib import Path

import pytest
import torch

from gen.manifest import FILE, compile
from gen.plugins import Catalogue, PluginRecord
from gen_sdk.checks.generic import compiling
from gen_sdk.checks.report import perform
from gen_sdk.checks.subject import Subject
from gen_sdk.checks.table import CHECKS
from gen_sdk.checks.targets import subjects

HERE = Path(__file__).parent
BY_ID = {check.id: check for check in CHECKS}
GENERIC = {check.id for check in CHECKS if check.run.__module__.startswith("gen_sdk.checks.generic.")}
FILES = ("construction", "declared", "learning", "saving", "shapes", "processes")
PLANTED = [s for name in FILES for s in subjects(f"{HERE}/planted/{name}.py") if hasattr(s.cls, "caught_by")]
SOUND = {s.name: s for name in ("sound", "processes") for s in subjects(f"{HERE}/planted/{name}.py")}

PACKAGES = {
    "torch in the hook": ("hook-module-imports-nothing-heavy", "Imports torch in the module of its hook."),
    "chatty hook": ("hook-module-imports-nothing-heavy", "Prints as its hook is imported."),
    "stale manifest": ("manifest-is-in-step", "Ships a manifest from before its last option."),
    "no manifest": ("manifest-is-in-the-wheel", "Leaves the manifest out of the wheel."),
}
"""Faults of packages: the check meant for each, and what is wrong."""

NET = '''
from gen.component import component, option
from gen.interfaces import Distance

@component
class Gap(Distance):
    """The mean absolute difference."""
    {option}

    def __call__(self, y, x):
        return (y - x).abs().flatten(1).mean(1)
'''
HOOK = """
from gen.hookspecs import Component, hookimpl

@hookimpl
def gen_components():
    return [Component("gap", "{package}.net:Gap")]
"""
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "gen-planted"
version = "1"
[tool.hatch.build.targets.wheel]
packages = ["{package}"]
exclude = [{exclude}]
"""


@pytest.fixture(autouse=True)
def restored():
    """What a fault changes for everyone is put back."""
    dtype, state = torch.get_default_dtype(), random.getstate()
    yield
    torch.set_default_dtype(dtype)
    random.setstate(state)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Writes a package with one component and one fault, or none, and gives its component."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(fault=None):
        name = f"planted_{(fault or 'sound').replace(' ', '_')}"
        folder = tmp_path / name
        folder.mkdir()
        head = {"torch in the hook": "import torch\n", "chatty hook": "print('hello')\n"}.get(fault, "")
        (folder / "__init__.py").touch()
        (folder / "plugin.py").write_text(head + HOOK.format(package=name))
        (folder / "net.py").write_text(NET.format(option=""))
        exclude = f'"{FILE}"' if fault == "no manifest" else ""
        (tmp_path / "pyproject.toml").write_text(PROJECT.format(package=name, exclude=exclude))
        manifest = compile("planted", name)
        (folder / FILE).write_text(manifest.to_text())
        if fault == "stale manifest":
            (folder / "net.py").write_text(NET.format(option='size: int = option(1, doc="added later")'))
        (spec,) = manifest.components
        record = PluginRecord("planted", name, "gen-planted", "1", folder, components=(spec,), hook=f"{name}.plugin")
        return Subject(spec, importlib.import_module(f"{name}.net").Gap, Catalogue((record,)))

    return write


def of_packages():
    return sorted({id for id, _ in PACKAGES.values()})


@pytest.mark.parametrize("subject", PLANTED, ids=lambda s: f"{s.cls.caught_by}-{s.cls.__name__}")
def test_a_planted_fault_is_caught_by_the_check_meant_for_it(subject):
    result = perform(subject, BY_ID[subject.cls.caught_by])

    assert result.outcome == "failed", result.said
    assert result.said


@pytest.mark.parametrize("fault", PACKAGES)
def test_a_fault_of_a_package_is_caught_by_the_check_meant_for_it(fault, package, capsys):
    result = perform(package(fault), BY_ID[PACKAGES[fault][0]])

    assert result.outcome == "failed", result.said


@pytest.mark.parametrize("id", of_packages())
def test_a_sound_package_passes(id, package):
    result = perform(package(), BY_ID[id])

    assert result.outcome == "passed", result.said


@pytest.mark.parametrize("id", sorted(GENERIC - set(of_packages())))
def test_a_sound_component_passes_every_generic_check(id):
    result = perform(SOUND["local/repeating" if id == "two-processes-step-as-one" else "local/plain"], BY_ID[id])

    assert result.outcome in ("passed", *(["not here"] if id == "compiles-with-inductor" else [])), result.said


def test_every_generic_check_has_a_fault_to_catch():
    caught = {subject.cls.caught_by for subject in PLANTED} | set(of_packages())

    assert caught == GENERIC


def test_the_table_of_planted_faults_is_in_step():
    rows = [(s.cls.caught_by, s.spec.summary.rstrip(".")) for s in PLANTED]
    rows += [(id, said.rstrip(".")) for id, said in PACKAGES.values()]
    faults = {id: "; ".join(said for one, said in rows if one == id) for id in sorted(GENERIC)}
    table = "\n".join(f"| {said} | `{id}` |" for id, said in faults.items())

    assert table in (HERE.parent / "README.md").read_text(encoding="utf-8"), table


def test_without_a_compiler_the_check_by_inductor_is_not_here():
    with torch._inductor.config.patch({"cpp.cxx": ("no-such-compiler",)}):
        result = perform(SOUND["local/plain"], compiling.compiles_with_inductor)

    assert result.outcome == "not here"
    assert result.said == "inductor needs a C++ compiler, and there is none: install g++, or name one in CXX"
