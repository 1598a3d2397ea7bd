"""Bases, drops and arguments all merge by one rule."""

from __future__ import annotations

import pytest

from gen.errors import RecipeError
from gen.recipe.recipe import Recipe

OVER = "gen: 1\nname: over\nbase: base.yaml\n"


@pytest.fixture
def over(desk):
    """Reads a recipe that stands on the good one."""

    def read(text: str, *overrides: str) -> Recipe:
        desk.write(desk.good, "base.yaml")
        return desk.read(OVER + text, *overrides)

    return read


def test_a_base_gives_what_is_not_stated(over, desk):
    merged, good = over("").config, desk.read(desk.good).config

    assert merged == {**good, "name": "over"}


def test_mappings_merge_deep_and_lists_are_replaced(over):
    desk = over("model: {encoder: {depth: 3}}\noptim: {all: {betas: [0.5, 0.9]}}\n")

    assert desk.config["model"]["encoder"] == {"use": "nets/conv-encoder", "width": 32, "depth": 3}
    assert desk.config["optim"]["all"]["betas"] == [0.5, 0.9]
    assert desk.config["optim"]["all"]["lr"] == 1e-3


@pytest.mark.parametrize("encoder", ["nets/conv-encoder", "{use: nets/conv-encoder}"])
def test_a_stated_component_discards_the_inherited_options(encoder, over):
    assert over(f"model: {{encoder: {encoder}}}\n", "model.decoder.width=8").config["model"] == {
        "use": "vae/vae",
        "latent": 16,
        "beta": 1.0,
        "encoder": {"use": "nets/conv-encoder", "width": 32, "depth": 2},
        "decoder": {"use": "nets/conv-decoder", "width": 8, "depth": 2},
        "likelihood": {"use": "vae/bernoulli"},
        "critic": None,
    }


def test_part_of_a_run_replaces_an_inherited_component(over):
    part = over("model: {encoder: {run: runs/a/0001, part: encoder}}\n").config["model"]["encoder"]

    assert part == {"run": "runs/a/0001", "part": "encoder", "weights": "ema", "frozen": False}


def test_drop_removes_inherited_values_only(over):
    recipe = over("drop: [train.clip, save, optim.all.schedule]\ntrain: {clip: 2.0}\n")

    assert recipe.config["train"]["clip"] == 2.0
    assert recipe.config["save"]["best"] is None
    assert recipe.config["optim"]["all"]["schedule"]["use"] == "core/constant"


def test_bases_stand_on_bases_in_their_own_folders(desk):
    desk.write(desk.good, "sub/deep/c.yaml")
    desk.write("gen: 1\nbase: deep/c.yaml\nseed: 5\n", "sub/b.yaml")
    recipe = desk.read("gen: 1\nname: a\nbase: sub/b.yaml\n")

    assert (recipe.config["seed"], recipe.config["train"]["steps"]) == (5, 3000)
    assert recipe.sources == {
        "sub/b.yaml": b"gen: 1\nbase: deep/c.yaml\nseed: 5\n",
        "sub/deep/c.yaml": desk.good.encode(),
    }
    assert recipe.origins["seed"] == "sub/b.yaml:3"
    assert recipe.written == b"gen: 1\nname: a\nbase: sub/b.yaml\n"


REFUSED = {
    "missing base": (
        "base: gone.yaml",
        'r.yaml:3:7: error[unreadable]: cannot read the base "gone.yaml": no such file or directory\n'
        "    3 | base: gone.yaml\n"
        "      |       ^^^^^^^^^",
    ),
    "base on itself": (
        "base: r.yaml",
        "r.yaml:3:7: error[cycle]: the bases form a cycle: r.yaml → r.yaml\n    3 | base: r.yaml\n      |       ^^^^^^",
    ),
    "cycle of two": (
        "base: back.yaml",
        "back.yaml:1:7: error[cycle]: the bases form a cycle: r.yaml → back.yaml → r.yaml\n"
        "    1 | base: r.yaml\n"
        "      |       ^^^^^^",
    ),
    "base elsewhere": (
        "base: ../other.yaml",
        'r.yaml:3:7: error[path]: base names a file beside the recipe or below it, got "../other.yaml"\n'
        "    3 | base: ../other.yaml\n"
        "      |       ^^^^^^^^^^^^^ copy it next to the recipe",
    ),
    "newer base": (
        "base: newer.yaml",
        "newer.yaml:1:6: error[newer-format]: this recipe is in format 9, this gen reads format 1\n"
        "    1 | gen: 9\n"
        "      |      ^ newer: upgrade gen-core (pip install -U gen-core)",
    ),
    "drop of nothing": (
        "base: base.yaml\ndrop: [train.epochs]",
        'r.yaml:4:8: error[no-effect]: drop removes nothing at "train.epochs": the base has no such value\n'
        "    4 | drop: [train.epochs]\n"
        "      |        ^^^^^^^^^^^^",
    ),
    "mistake in the base": (
        "base: wrong.yaml",
        'wrong.yaml:1:22: error[misplaced-option]: train has no option "lr"\n'
        "    1 | train: {steps: 3000, lr: 1}\n"
        '      |                      ^^ "lr" belongs to an optimizer: write optim.all.lr',
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_base_is_told_at_its_place(case, desk):
    line, expected = REFUSED[case]
    desk.write("base: r.yaml\n", "back.yaml")
    desk.write("gen: 9\n", "newer.yaml")
    desk.write(desk.good, "base.yaml")
    desk.write("train: {steps: 3000, lr: 1}\nbase: base.yaml\n", "wrong.yaml")

    assert desk.refused(f"gen: 1\nname: a\n{line}\n") == expected


def test_a_base_that_is_a_fifo_is_not_waited_for(desk):
    import os

    os.mkfifo("pipe")
    assert "it is not a regular file" in desk.refused("gen: 1\nname: a\nbase: pipe\n")


ARGUMENTS = {
    ("model.encoder.width=64",): ("model.encoder.width", 64),
    ("model.decoder.width=64",): ("model.decoder.width", 64),
    ("optim.all=sgd", "optim.all.lr=1e-2"): ("optim.all.lr", 0.01),
    ("optim.all.use=sgd",): ("optim.all.schedule.use", "core/constant"),
    ("optim.all.schedule={warmup: 5}",): ("optim.all.schedule.use", "core/cosine"),
    ("~optim", "optim.all.schedule.warmup=7"): ("optim.all.schedule.warmup", 7),
    ("train.ema.decay=0.9",): ("train.ema.start", 0),
    ("train.clip=",): ("train.clip", None),
    ("train.clip=null",): ("train.clip", None),
    ("about=a=b: c # d",): ("about", "a=b: c # d"),
    ('about="017"',): ("about", "017"),
    ("about=no",): ("about", "no"),
    ("data.transforms=[data/flip, {use: data/resize, to: 8}]", "data.transforms.1.to=32"): ("data.transforms.1.to", 32),
    ("data.transforms=[data/flip, data/flip]", "data.transforms.0=data/resize"): (
        "data.transforms.0.use",
        "data/resize",
    ),
    ("sample.grid=vae/prior",): ("sample.grid.count", 64),
    ("~save.best", "~evaluate"): ("evaluate.metrics", {}),
    ("evaluate=null", "~save"): ("evaluate.count", 1000),
    ("~train.steps", "train.epochs=2"): ("train.epochs", 2.0),
}


@pytest.mark.parametrize("given", ARGUMENTS)
def test_arguments_change_the_recipe(given, desk):
    path, expected = ARGUMENTS[given]
    value = desk.read(desk.good, *given).config
    for step in path.split("."):
        value = value[int(step)] if isinstance(value, list) else value[step]

    assert value == expected


def test_a_removed_section_starts_afresh(desk):
    assert desk.read(desk.good, "~evaluate", "~save", "evaluate.every=7").config["evaluate"]["metrics"] == {}


def test_arguments_are_part_of_the_recipe(desk):
    recipe = desk.read(desk.good, "train.steps=5", "~save")

    assert recipe.overrides == ("train.steps=5", "~save")
    assert recipe.origins["train.steps"] == "argument 1"
    assert str(recipe.places["train.steps"]) == "argument 1"


def test_an_argument_cannot_hide_what_the_file_does_wrong(desk, edit):
    with pytest.raises(RecipeError, match="widht"):
        desk.read(edit("width", "widht"), "train.steps=5")
