"""A component apart from a recipe: arguments adjust it, and mistakes are told as a recipe's are."""

from __future__ import annotations

import pytest

from gen.errors import RecipeError
from gen.plugins import catalogue
from gen.recipe.alone import adjusted

EDIT = {"use": "diffusion/edit", "solver": {"use": "diffusion/ddim", "steps": 7}}


def sampler(value, *arguments):
    return adjusted(value, [f"sampler.{one}" for one in arguments], kind="sampler", catalogue=catalogue())


def test_arguments_reach_options_and_slots():
    made = sampler(EDIT, "count=3", "solver.steps=5")

    assert made["use"] == "diffusion/edit"
    assert (made["count"], made["weights"]) == (3, "ema")
    assert (made["solver"]["use"], made["solver"]["steps"]) == ("diffusion/ddim", 5)
    assert sampler("diffusion/ddim", "steps=5")["steps"] == 5
    assert sampler(EDIT, "solver=diffusion/heun")["solver"]["use"] == "diffusion/heun"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["solver.steps=0"], "argument 1: error[out-of-range]"),
        (["stepz=3"], 'diffusion/edit has no option "stepz"'),
        (["eta=3"], '"eta" belongs to a sampler: write sampler.solver.eta'),
        (["lr=3"], 'diffusion/edit has no option "lr"\n   sampler.lr=3\n           ^^\n   options: strength'),
        (["count=3", "count=4"], '"sampler.count=3" has no effect'),
        (["steps"], '"sampler.steps" is no override'),
        (["solver.count=3"], "sampler.solver.count has no effect: the sampler around it decides"),
        (["solver.precision=bf16"], "write sampler.precision"),
    ],
)
def test_a_mistake_is_told_at_its_place(arguments, said):
    with pytest.raises(RecipeError) as caught:
        sampler(EDIT, *arguments)

    assert said in str(caught.value)
