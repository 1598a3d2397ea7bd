"""Runs of two steps for the programs of `benchmarks` to show and to measure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gen.running import run


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """`trained(recipe, *overrides)` is the folder of a run of two steps, the same for the same words."""
    folder, made = tmp_path_factory.mktemp("runs"), {}

    def make(recipe: str, *overrides: str) -> str:
        if (recipe, overrides) not in made:
            short = ["train.steps=2", "evaluate.every=2", "save.every=2", "~evaluate.metrics", "~save.best", "~sample"]
            ended = run(recipe, [*short, *overrides], runs=folder, device="cpu", quiet=True)
            made[recipe, overrides] = ended.path
        return str(made[recipe, overrides])

    return make


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where figures are written."""
    return tmp_path / "results"
