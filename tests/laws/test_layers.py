"""Imports point one way (design section 2), and core names neither a component nor a family."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal

import attrs
import pytest

from gen import registry

LAYERS = (
    ("errors types", "spec sources seeds stopping console commands"),
    (
        "interfaces component",
        "hookspecs plugin rows lr_schedules optimizers trackers noise noise_schedules precision joins private",
    ),
    ("manifest plugins", "files integrity current installed registry activate absent"),
    ("recipe building", "sections presence data"),  # building opens the splits, so data stands beside it
    (
        "checkpoint sampling evaluate provenance",
        "rundir loading pictures picture_files masks ema groups guard processes loss_metric comparison report",
    ),
    ("trainer", "turns training_state session running plan smoke launch"),
    ("cli", "__main__ gen"),
)
"""Core from the ground up. A layer: the modules that design section 2 names, then those that serve them. A package
stands for all its modules; `gen` is the façade. A module imports from its own layer and from those before it."""

UPWARD = {
    ("component", "building"): "a slot left out in Python is filled by name, as a recipe would fill it",
    ("building", "loading"): "a slot may be filled by part of a finished run",
    ("interfaces.training", "evaluate"): "types only: what a metric is handed and gives back",
}
"""Imports in functions and under TYPE_CHECKING that point up, and why they may."""

DEVELOPMENT = "gen.cli.plugin."
"""Actions for authors of plugins may import gen-sdk when they are called, and say what to install without it."""

When = Literal["load", "types", "call"]


@attrs.frozen
class Import:
    """The module `by` imports `name`, which is the module `of` or a name in it: as it loads, for types, in a call."""

    place: str
    by: str
    of: str
    name: str
    when: When

    @property
    def up(self) -> bool:
        """Within core, from a lower layer to a higher one."""
        return _top(self.by) == _top(self.of) == "gen" and _level(self.of) > _level(self.by)


@pytest.fixture(scope="module")
def imports(sources: Any) -> list[Import]:
    """Every import of first-party code by first-party code."""
    modules = {source.module for source in sources}
    return [one for source in sources for one in _imports(source, source.tree, modules)]


def test_every_module_of_core_has_a_layer(sources: Any) -> None:
    table = [name for layer in LAYERS for words in layer for name in words.split()]
    core = {_below(source.module) for source in sources if source.package == "gen"}
    tops = {_top(name) for name in core}

    assert len(table) == len(set(table)), "a module stands in one layer: LAYERS names one twice"
    assert tops <= set(table), f"put into a layer of LAYERS: {sorted(tops - set(table))}"
    assert set(table) <= tops, f"strike from LAYERS, these modules are gone: {sorted(set(table) - tops)}"


def test_imports_within_core_point_down(imports: list[Import]) -> None:
    wrong = [f"{one.place} imports {one.name}, which stands higher" for one in imports if one.up and one.when == "load"]

    assert not wrong, "import only from lower layers, or move what both need down:\n" + "\n".join(wrong)


def test_deferred_imports_that_point_up_are_listed_with_a_reason(imports: list[Import]) -> None:
    up = {(_below(one.by), _below(one.of)): one.place for one in imports if one.up and one.when != "load"}
    new = [f"{place} {by} → {of}" for (by, of), place in up.items() if (by, of) not in UPWARD]

    assert not new, "move what both need down, or list it in UPWARD with a reason:\n" + "\n".join(new)
    assert not UPWARD.keys() - up.keys(), f"strike from UPWARD, these are gone: {sorted(UPWARD.keys() - up.keys())}"


def test_no_modules_import_each_other_in_a_circle(imports: list[Import], sources: Any) -> None:
    graph: dict[str, set[str]] = {source.module: set() for source in sources}
    for one in imports:
        if one.when == "load" and one.of in graph:
            graph[one.by].add(one.of)

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"break this circle of imports: {' ← '.join(error.args[1])}")


def test_nobody_inside_core_imports_the_facade(imports: list[Import]) -> None:
    wrong = [
        f"{one.place} imports {one.name}"
        for one in imports
        if _top(one.by) == "gen" and one.of == "gen" and one.name != "gen.__version__"
    ]

    assert not wrong, "inside core import the leaf module, never the façade gen:\n" + "\n".join(wrong)


def test_a_plugin_imports_gen_and_itself_only(imports: list[Import]) -> None:
    ours = [one for one in imports if not (one.by.startswith(DEVELOPMENT) and one.when == "call")]
    wrong = [f"{one.place} imports {one.name}" for one in ours if _top(one.of) not in ("gen", _top(one.by))]

    assert not wrong, (
        "sdk and plugins import gen and themselves, no more: plugins meet in recipes, and the sdk serves tests:\n"
        + "\n".join(wrong)
    )


def test_core_names_no_component_and_no_plugin(sources: Any) -> None:
    spaces = "|".join(entry.namespace for entry in registry.entries() if entry.namespace != "core")
    named = re.compile(rf"(?<![\w/.-])({spaces})/[a-z]|\bgen[_-]({spaces})\b")
    wrong = [
        f"{source.place(node)} {node.value[:80]!r}"
        for source in sources
        if source.package == "gen" and source.module != "gen.plugin"
        for node in source.literals()
        if named.search(node.value)
    ]

    assert spaces
    assert not wrong, "core knows no component of a plugin: ask the catalogue for it:\n" + "\n".join(wrong)


def _imports(source: Any, node: ast.AST, modules: set[str], when: When = "load") -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        names: list[str] = []
        if isinstance(child, ast.Import):
            names = [alias.name for alias in child.names]
        elif isinstance(child, ast.ImportFrom):
            assert not child.level, f"{source.place(child)}: write the name of the module in full"
            names = [f"{child.module}.{alias.name}" for alias in child.names]
        for name in names:
            if _top(name).startswith("gen_") or _top(name) == "gen":
                yield Import(source.place(child), source.module, _module(name, modules), name, when)
        yield from _imports(source, child, modules, _when(child, when))


def _when(node: ast.AST, when: When) -> When:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        return "call"
    return "types" if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING") else when


def _module(name: str, modules: set[str]) -> str:
    """The module that an imported name is, or is in: `gen.errors.GenError` → `gen.errors`."""
    while name not in modules and "." in name:
        name = name.rpartition(".")[0]
    return name


def _top(name: str) -> str:
    return name.partition(".")[0]


def _below(module: str) -> str:
    """`gen.recipe.check` → `recipe.check`; the façade stays `gen`."""
    return module.removeprefix("gen.")


def _level(module: str) -> int:
    top = _top(_below(module))
    return next((i for i, layer in enumerate(LAYERS) if top in " ".join(layer).split()), len(LAYERS))
