"""`gen run --smoke`: two real steps of everything a recipe asks for, in a temporary folder, and the model read back."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import attrs

from gen.loading import load
from gen.plugins import Catalogue
from gen.recipe.recipe import Recipe
from gen.running import run
from gen.trainer import solves

__all__ = ["smoke"]


def smoke(recipe: Recipe, *, data_root: str | Path = ".", device: str = "auto", known: Catalogue | None = None) -> str:
    """Trains two steps, evaluates, draws every sampler, saves, loads; says what was done.

    Raises:
        whatever the real run would: that is the point.
    """
    config: dict[str, Any] = {**recipe.config}
    steps = 1 if solves(config) else 2
    if not solves(config):
        config["train"] = {**config["train"], "steps": steps, "epochs": None, "log": 1}
    config["evaluate"] = {**config["evaluate"], "every": steps, "count": min(64, config["evaluate"]["count"])}
    config["save"] = {**config["save"], "every": 1}
    short = attrs.evolve(recipe, config=config)
    with tempfile.TemporaryDirectory() as folder:
        done = run(short, runs=folder, data_root=data_root, device=device, quiet=True, known=known)
        loaded = load(done.path, known=known)
        pictures = len(list((done.path / "samples").rglob("*.png")))
        measured = sum(line["kind"] == "evaluate" for line in done.metrics())
    parameters = sum(p.numel() for p in loaded.model.parameters())
    done_what = "solved" if solves(config) else f"{steps} steps"
    return (
        f"ok: {done_what}, {measured} evaluations, {pictures} pictures, saved and read back {parameters:,} parameters"
    )
