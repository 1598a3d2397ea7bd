"""Looking things up imports neither torch nor a plugin: a `torch` that raises comes first on the path."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gen.installed import declared

RECIPE = """\
gen: 1
name: tiny
data: {use: data/digits, batch: 16}
model: {use: vae/ae, encoder: nets/mlp-encoder, decoder: nets/mlp-decoder}
train: {steps: 5}
"""
COMMANDS = [
    "--help",
    "run --help",
    "ls",
    "ls encoders",
    "ls recipes",
    "ls plugins",
    "ls runs",
    "show nets/conv-encoder",
    "show vae",
    "cat tiny.yaml train.steps=7",
    "cat tiny.yaml --origin",
    "validate tiny.yaml",
    "validate --json tiny.yaml",
    "cp tiny.yaml mine.yaml",
    "schema",
    "schema -o schema.json",
    "doctor",
    "plugin list",
    "plugin list --json",
    "plugin search encoder",
    "plugin deps tiny.yaml",
]
HEAVY = {"torch", "numpy", "accelerate", "rich", "safetensors", "torchmetrics"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "path/torch").mkdir(parents=True)
    (tmp_path / "path/torch/__init__.py").write_text("raise ImportError('torch was imported')")
    (tmp_path / "tiny.yaml").write_text(RECIPE)
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_looks_things_up_works_without_torch(place: Path, command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "gen", *command.split()],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(place / "path")},
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if not line.startswith("import time:")]
    imported = set(re.findall(r"^import time:.*\| +([\w.]+)$", done.stderr, re.MULTILINE))
    top = {name.partition(".")[0] for name in imported}

    assert (done.returncode, said) == (0, []), done.stderr
    assert done.stdout
    assert "gen.cli" in imported
    assert not top & HEAVY
    assert not [name for name in top if name.startswith("gen_")]


@pytest.mark.parametrize("hook", [plugin.hook for plugin in declared() if plugin.distribution.startswith("gen-")])
def test_a_hook_module_is_torch_free(place: Path, hook: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {hook}; print(*sys.modules)"],
        env={**os.environ, "PYTHONPATH": str(place / "path")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert not {"torch", "numpy"} & set(done.stdout.split())
