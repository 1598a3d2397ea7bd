"""The yellow pages say what the manifests say, and every manifest says what the classes say."""

from __future__ import annotations

from gen import registry
from gen.current import compiled, shipped
from gen.installed import declared
from gen.manifest import FILE, read

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


def test_every_manifest_is_what_its_code_compiles_to() -> None:
    assert OURS
    for plugin in OURS:
        assert not shipped(plugin.folder)
        fresh = compiled(plugin.namespace, plugin.hook, plugin.distribution).to_text()
        assert (plugin.folder / FILE).read_text(encoding="utf-8") == fresh, (
            f"run: gen plugin manifest {plugin.namespace}"
        )
