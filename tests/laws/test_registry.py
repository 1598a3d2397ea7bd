"""The yellow pages say what the manifests say, and every manifest says what the classes say."""

from __future__ import annotations

import re
import tomllib
import zipfile
from pathlib import Path

import pytest

from gen import registry
from gen.current import compiled, shipped
from gen.errors import PluginError
from gen.hookspecs import GROUP
from gen.installed import declared
from gen.manifest import FILE, read
from gen.plugins import PluginRecord

ROOT = registry.checkout_file().parent
OURS = [plugin for plugin in declared() if plugin.folder and ROOT in plugin.folder.resolve().parents]
MANIFESTS = [read(plugin.folder) for plugin in OURS]


def test_the_registry_is_in_step_with_the_manifests() -> None:
    text = (ROOT / "registry.yaml").read_text(encoding="utf-8")

    assert registry.updated(text, MANIFESTS) == text, "run: gen plugin manifest"


def test_every_component_of_this_repository_is_in_the_registry() -> None:
    listed = {f"{entry.namespace}/{name}" for entry in registry.entries() for name in entry.components}

    assert {spec.name for manifest in MANIFESTS for spec in manifest.components} <= listed


def test_the_registry_answers_for_names_and_words() -> None:
    assert registry.known("nets").install == "pip install gen-nets"
    assert registry.known("nets/no-such-thing") == registry.known("nets")
    assert registry.known("no-such-namespace") is None
    assert "core/adam" in [name for _, names in registry.search("Adaptive Moments") for name in names]
    assert registry.search("no such word") == ()


def test_an_entry_of_someone_else_is_kept() -> None:
    theirs = "- namespace: other\n  package: gen-other\n  summary: Theirs.\n  components:\n    thing: A thing.\n"
    entries = registry.parse(registry.updated(theirs, MANIFESTS), "here")

    assert registry.Entry("other", "gen-other", "Theirs.", {"thing": "A thing."}) in entries
    assert {plugin.namespace for plugin in OURS} < {entry.namespace for entry in entries}


def test_a_namespace_has_one_owner_in_the_yellow_pages() -> None:
    text = (ROOT / "registry.yaml").read_text(encoding="utf-8")
    theirs = "- namespace: nets\n  package: their-nets\n  summary: Theirs.\n"

    with pytest.raises(PluginError, match="gen-nets and their-nets both claim the namespace nets, which has one owner"):
        registry.parse(text + theirs, "registry.yaml")


def test_every_entry_names_a_namespace_a_package_and_a_line_for_each_component() -> None:
    word = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
    for entry in registry.entries():
        lines = {"summary": entry.summary, **entry.components}

        assert all(word.fullmatch(name) for name in (entry.namespace, *entry.components)), entry.namespace
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", entry.package), entry.namespace
        assert all(line and "\n" not in line and len(line) <= 140 for line in lines.values()), entry.namespace


def test_every_package_of_this_repository_is_installed_and_listed() -> None:
    projects = [tomllib.loads(path.read_text())["project"] for path in ROOT.glob("plugins/*/pyproject.toml")]
    spaces = {space for project in projects for space in project["entry-points"][GROUP]}

    assert spaces <= {plugin.namespace for plugin in OURS}, "make install"
    assert spaces <= {entry.namespace for entry in registry.entries()}, "run: gen plugin manifest"


@pytest.mark.parametrize("plugin", OURS, ids=lambda plugin: plugin.namespace)
def test_a_wheel_ships_the_manifest_the_recipes_and_cores_the_yellow_pages(
    plugin: PluginRecord, tmp_path: Path
) -> None:
    wheel = pytest.importorskip("hatchling.builders.wheel")
    built = next(wheel.WheelBuilder(str(plugin.folder.parent)).build(directory=str(tmp_path)))
    with zipfile.ZipFile(built) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    top = plugin.folder.name
    wanted = {FILE, "py.typed", *(f"recipes/{path.name}" for path in plugin.folder.glob("recipes/*.yaml"))}

    assert {f"{top}/{name}" for name in wanted} <= set(held)
    assert held[f"{top}/{FILE}"] == (plugin.folder / FILE).read_bytes()
    assert not [name for name in held if "/tests/" in name or name.startswith("tests/")]
    if top == "gen":
        assert held["gen/registry.yaml"] == (ROOT / "registry.yaml").read_bytes()


def test_every_manifest_is_what_its_code_compiles_to() -> None:
    assert OURS
    for plugin in OURS:
        assert not shipped(plugin.folder)
        fresh = compiled(plugin.namespace, plugin.hook, plugin.distribution).to_text()
        assert (plugin.folder / FILE).read_text(encoding="utf-8") == fresh, (
            f"run: gen plugin manifest {plugin.namespace}"
        )
