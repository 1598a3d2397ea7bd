"""Fixtures: the toy plugin, and recipes over it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TOYS = Path(__file__).parent / "toys.py"


@pytest.fixture(scope="session")
def toys() -> Any:
    """The installed plugins and the toy plugin."""
    from gen.activate import local_plugin
    from gen.plugins import catalogue

    return catalogue([local_plugin(TOYS)])


@pytest.fixture
def toy_recipe() -> Callable[..., dict[str, Any]]:
    """A recipe over the toys as a mapping: family "one", "two" or "three"; sections given by keyword are merged in."""

    def make(family: str = "one", **sections: Any) -> dict[str, Any]:
        sampler = {"one": "local/codes", "two": "local/latent", "three": "local/codes"}[family]
        recipe: dict[str, Any] = {
            "gen": 1,
            "name": f"toy-{family}",
            "seed": 3,
            "data": {"use": "local/points", "batch": 16},
            "model": f"local/{family}",
            "optim": {"all": {"use": "adam", "lr": 0.01}},
            "train": {"steps": 20, "log": 5, "ema": {"decay": 0.9}},
            "sample": {"codes": {"use": sampler, "count": 8}},
            "evaluate": {"every": 10, "metrics": {"loss": "loss"}},
            "save": {"every": 5},
        }
        for name, section in sections.items():
            old = recipe.get(name)
            merge = isinstance(old, dict) and isinstance(section, dict) and "use" not in section
            recipe[name] = {**old, **section} if merge else section
        return recipe

    return make
