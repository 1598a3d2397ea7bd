"""What the plugin registers."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from gen.component import describe
from gen.hookspecs import Component
from gen_data.plugin import gen_components


@pytest.mark.parametrize("component", gen_components(), ids=lambda component: component.name)
def test_every_component_is_there_and_documented(component: Component) -> None:
    module, name = component.target.split(":")
    spec = describe(getattr(importlib.import_module(module), name), component.name, component.target)

    assert spec.kind in ("dataset", "transform")
    assert spec.summary.endswith(".")
    assert all(option.doc for option in spec.options)


def test_names_are_unique() -> None:
    names = [component.name for component in gen_components()]

    assert len(names) == len(set(names)) == 17


def test_the_hook_module_is_free_of_torch() -> None:
    code = "import sys; sys.modules['torch'] = None; from gen_data.plugin import gen_components; gen_components()"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
