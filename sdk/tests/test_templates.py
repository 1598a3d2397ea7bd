"""What `gen plugin new` writes, as texts: a plugin for every interface, complete, and named after its namespace."""

from __future__ import annotations

import ast
import importlib
import tomllib
from typing import Any

import pytest
import yaml

import gen
from gen import interfaces
from gen_sdk.templates.kinds import DEFAULT, KINDS
from gen_sdk.templates.render import module_summary, render

PACKAGE = "gen_blue_ring"


@pytest.fixture(scope="module")
def texts() -> dict[str, dict[str, str]]:
    return {kind: render("blue-ring", kind) for kind in KINDS}


def test_there_is_a_plugin_for_every_interface():
    classes = (getattr(interfaces, name) for name in interfaces.__all__)

    assert {cls.kind for cls in classes if isinstance(getattr(cls, "kind", None), str)} == set(KINDS)
    assert DEFAULT in KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_its_components_are_what_they_are_said_to_be(kind):
    example = KINDS[kind]
    found: dict[str, Any] = {}
    for name, target in example.components.items():
        module, _, attribute = target.partition(":")
        found[name] = getattr(importlib.import_module(f"gen_sdk.templates.components.{module}"), attribute)

        assert found[name].__doc__.startswith(module_summary(module, attribute))

    assert found[example.name].kind == kind
    assert {"__gen_final__" in vars(cls) for cls in found.values()} == {True}
    assert {cls.kind for name, cls in found.items() if name != example.name} <= {"model", "sampler"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_can_be_read_and_no_word_is_left_to_fill_in(kind, texts):
    for path, text in texts[kind].items():
        assert "$namespace" not in text, path
        assert "$package" not in text, path
        assert text.endswith("\n"), path
        if path.endswith(".py"):
            ast.parse(text, path)
        if path.endswith((".yaml", ".yml")):
            assert yaml.safe_load(text), path


@pytest.mark.parametrize("kind", KINDS)
def test_the_recipe_uses_the_component(kind, texts):
    recipe = texts[kind][f"{PACKAGE}/recipes/blue-ring-digits.yaml"]

    assert f"blue-ring/{KINDS[kind].name}" in recipe
    assert yaml.safe_load(recipe)["name"] == "blue-ring-digits"


@pytest.mark.parametrize("kind", KINDS)
def test_the_recipe_needs_what_the_package_asks_for(kind, texts):
    dev = tomllib.loads(texts[kind]["pyproject.toml"])["project"]["optional-dependencies"]["dev"]
    words = texts[kind][f"{PACKAGE}/recipes/blue-ring-digits.yaml"].replace(",", " ").replace("}", " ").split()
    owners = {word.partition("/")[0] for word in words if "/" in word and not word.startswith("8x8")}

    assert {f"gen-{owner}" for owner in owners - {"blue-ring"}} <= set(dev)


def test_the_package_names_its_entry_point_and_asks_for_this_core(texts):
    project = tomllib.loads(texts["encoder"]["pyproject.toml"])["project"]
    major, minor, *_ = gen.__version__.split(".")

    assert project["name"] == "gen-blue-ring"
    assert project["entry-points"]["gen.plugins"] == {"blue-ring": f"{PACKAGE}.plugin"}
    assert project["dependencies"] == [f"gen-core>={major}.{minor},<{major}.{int(minor) + 1}"]
    assert "license" not in project


def test_the_hook_module_lists_the_components_and_needs_no_torch(texts):
    text = texts["denoiser"][f"{PACKAGE}/plugin.py"]

    assert f'Component("conv-denoiser", "{PACKAGE}.conv_denoiser:ConvDenoiser")' in text
    assert f'Component("tiny-steps", "{PACKAGE}.tiny_diffusion:TinySteps")' in text
    assert "import torch" not in text


def test_the_workflow_checks_the_installed_wheel(texts):
    (job,) = yaml.safe_load(texts["metric"][".github/workflows/check.yml"])["jobs"].values()
    steps = {step["name"]: step for step in job["steps"] if "name" in step}

    assert "python -m build --wheel" in steps["Build the wheel"]["run"]
    assert "gen plugin check blue-ring" in steps["Check the installed wheel"]["run"]
    assert steps["Check the installed wheel"]["working-directory"] == "/tmp"


def test_a_minimal_package_is_component_plugin_project_and_recipe(texts):
    small = render("blue-ring", "encoder", minimal=True)

    assert set(small) == {
        "pyproject.toml",
        f"{PACKAGE}/__init__.py",
        f"{PACKAGE}/plugin.py",
        f"{PACKAGE}/patch_encoder.py",
        f"{PACKAGE}/recipes/blue-ring-digits.yaml",
    }
    assert "readme" not in tomllib.loads(small["pyproject.toml"])["project"]
    assert set(texts["encoder"]) - set(small) == {
        "README.md",
        ".gitignore",
        ".github/workflows/check.yml",
        "tests/test_conformance.py",
    }
