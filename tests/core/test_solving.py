"""A model in closed form: one step, from all the data, however it is run; and it may be trained instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from gen.errors import CommandError, RecipeError
from gen.loading import load
from gen.recipe.recipe import Recipe
from gen.running import resume, run
from gen.smoke import smoke

RECIPE: dict[str, Any] = {
    "gen": 1,
    "name": "solved",
    "data": {"use": "local/points", "batch": 16},
    "model": {"use": "local/solved"},
    "sample": {"codes": {"use": "local/codes", "count": 8}},
}
X = torch.rand(96, 6, generator=torch.Generator().manual_seed(1)) * 2 - 1  # what local/points holds


def test_a_model_in_closed_form_is_solved_from_all_the_data(tmp_path: Path, toys: Any) -> None:
    done = run(RECIPE, runs=tmp_path, known=toys, quiet=True, device="cpu")
    line = next(line for line in done.metrics() if line["kind"] == "train")

    assert (done.state, done.step, line["images"]) == ("done", 1, 96)
    torch.testing.assert_close(load(done.path, known=toys).model.mean.detach(), X.mean(0))


def test_a_solved_run_has_nothing_left_to_do(tmp_path: Path, toys: Any, capsys: Any) -> None:
    done = run(RECIPE, runs=tmp_path, known=toys, quiet=True, device="cpu")

    again = resume(done.path, known=toys, device="cpu")

    assert (again.state, again.step) == ("done", 1)
    assert "the run has its 1 steps (it is solved)" in capsys.readouterr().err


def test_the_same_model_may_be_trained_to_the_same_answer(tmp_path: Path, toys: Any) -> None:
    recipe = {
        **RECIPE,
        "model": {"use": "local/solved", "stepwise": True},
        "data": {"use": "local/points", "batch": 96},
        "optim": {"all": {"use": "sgd", "lr": 0.25}},
        "train": {"steps": 40},
    }
    done = run(recipe, runs=tmp_path, known=toys, quiet=True, device="cpu")

    torch.testing.assert_close(load(done.path, known=toys).model.mean.detach(), X.mean(0), rtol=1e-5, atol=1e-6)


def test_steps_for_a_model_without_phases_are_refused(tmp_path: Path, toys: Any) -> None:
    with pytest.raises(CommandError, match=r"nothing to train step by step: leave train.steps and train.epochs out"):
        run({**RECIPE, "train": {"steps": 3}}, runs=tmp_path, known=toys, quiet=True, device="cpu")
    assert not list(tmp_path.iterdir())


def test_a_model_that_cannot_be_solved_needs_a_length(toys: Any) -> None:
    with pytest.raises(RecipeError, match='the recipe has no section "train"'):
        Recipe.parse({**RECIPE, "model": "local/one"}, catalogue=toys)


def test_a_smoke_test_solves(toys: Any) -> None:
    assert smoke(Recipe.parse(RECIPE, catalogue=toys), known=toys).startswith("ok: solved, 0 evaluations, 0 pictures")
