"""Our road is a stranger's: every plugin here passes silver through the same entry, and no check knows a name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

MOST_EXCUSES = 3
NEED_FILES = 2
"""Components that cannot be looked at without files that no package ships: MNIST, and InceptionV3's features."""
ENTRY = re.compile(r'^test_conformance = parametrize_checks\("([a-z0-9-]+)", tier="silver"\)$', re.M)


def test_every_plugin_passes_silver_through_the_public_entry(ours: Any, root: Path) -> None:
    files = [root / "tests/core/test_conformance.py", *root.glob("plugins/*/tests/test_conformance.py")]
    entered = {name for file in files for name in ENTRY.findall(file.read_text(encoding="utf-8"))}

    assert {plugin.namespace for plugin in ours} <= entered, "give the plugin tests/test_conformance.py, as others have"


def test_our_components_are_excused_from_few_checks(ours: Any) -> None:
    excuses = {
        f"{spec.name} {id}": why for plugin in ours for spec in plugin.components for id, why in spec.excused.items()
    }

    assert len(excuses) <= MOST_EXCUSES, f"mend the components instead: {excuses}"
    assert all(why.strip() for why in excuses.values()), f"an excuse gives its reason: {excuses}"


def test_few_of_our_components_need_files_that_no_package_ships(ours: Any) -> None:
    files = {s.name: s.traits["files"] for plugin in ours for s in plugin.components if "files" in s.traits}
    kinds = {spec.kind for plugin in ours for spec in plugin.components if spec.name in files}

    assert len(files) <= NEED_FILES, f"write example_data(root), so that the checks run: {files}"
    assert kinds <= {"dataset", "extractor"}
    assert all(why.strip() for why in files.values()), f"say what it needs: {files}"


def test_no_check_knows_a_component_by_name(sources: Any, ours: Any) -> None:
    names = {spec.name for plugin in ours for spec in plugin.components}
    wrong = [
        f"{source.place(node)} {node.value!r}"
        for source in sources
        if source.module.startswith("gen_sdk.checks")
        for node in source.literals()
        if names & set(re.findall(r"[a-z][a-z0-9-]*/[a-z][a-z0-9-]*", node.value))
    ]

    assert names
    assert not wrong, "choose by kind, capability or trait, never by name:\n" + "\n".join(wrong)
