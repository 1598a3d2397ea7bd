"""The reference pages say what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from gen import interfaces, sections
from gen.sections import Section


@pytest.fixture(scope="module")
def generate(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", root / "docs/generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_pages_are_in_step_with_the_code(generate: ModuleType) -> None:
    stale = [path.name for path, text in generate.pages().items() if path.read_text(encoding="utf-8") != text]

    assert not stale, "run: make manifests, or python docs/generate.py"


def test_every_interface_and_every_key_of_a_recipe_is_in_the_reference(generate: ModuleType) -> None:
    shown, recipe = generate.interfaces_page(), generate.recipe_page()
    lacking = [name for name in interfaces.__all__ if f"### `{name}`" not in shown]
    keys = {
        key for section in (sections.ROOT, sections.ENTRY, sections.PART, sections.RUN_PART) for key in _keys(section)
    }

    assert not lacking
    assert not [key for key in sorted(keys) if f"| `{key}` |" not in recipe]


def _keys(section: Section) -> set[str]:
    own = {field.name for field in (*section.options, *section.slots, *section.sections)}
    return own.union(*(_keys(inner) for inner in section.sections))
