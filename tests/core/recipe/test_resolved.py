"""The resolved recipe: names in full, every default, the origin of every value; it reads back to the same."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gen.errors import RecipeError
from gen.recipe.recipe import Recipe
from gen.sections import ORDER

FROM_FILE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_every_section_and_default_is_present(desk):
    config = desk.read("gen: 1\nname: a\ndata: data/digits\nmodel: ar/linear\n", "model.order=3").config

    assert tuple(config) == ORDER
    assert config["data"] == {"use": "data/digits", "batch": 128, "transforms": []}
    assert config["optim"] == {
        "all": {
            "use": "core/adam",
            "betas": [0.9, 0.999],
            "lr": 1e-3,
            "weight_decay": 0.0,
            "schedule": {"use": "core/constant", "warmup": 0},
            "scale": 1.0,
            "repeat": None,
            "every": None,
            "parts": {},
        }
    }
    assert (config["init"], config["train"]["ema"], config["sample"], config["track"]) == (None, None, {}, [])


def test_origins_name_line_argument_or_owner_of_the_default(desk):
    origins = desk.read(desk.good, "optim.all.weight_decay=0.1").origins

    assert origins["model.encoder.width"] == "r.yaml:8"
    assert origins["optim.all.weight_decay"] == "argument 1"
    assert origins["model.encoder.depth"] == "default of nets/conv-encoder"
    assert origins["model.likelihood.use"] == "default of vae/vae"
    assert origins["optim.all.betas"] == "default of core/adam"
    assert origins["train.precision"] == "default of train"
    assert origins["train.ema"] == "default of train"
    assert origins["seed"] == "default of the recipe"


def test_every_leaf_of_the_config_has_an_origin(desk):
    recipe = desk.read(desk.good, "train.ema.decay=0.5", "optim.train.scale=2", "init.run=runs/a/0001")

    def paths(value: Any, path: str) -> list[str]:
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        if not inner or path in recipe.origins:
            return [path]
        return [leaf for name, one in inner for leaf in paths(one, f"{path}.{name}".lstrip("."))]

    assert set(paths(recipe.config, "")) <= recipe.origins.keys()


def test_places_are_known_of_components_and_written_values_only(desk):
    places = desk.read(desk.good).places

    assert str(places["model.decoder"]) == str(places["model.decoder.use"]) == "r.yaml:9:12"
    assert str(places["train"]) == "r.yaml:12:1"
    assert not {"model.decoder.width", "model.likelihood", "track", "init"} & places.keys()


def test_components_used_are_known_by_full_name(desk):
    assert sorted(desk.read(desk.good).components) == [
        "core/adam",
        "core/cosine",
        "data/digits",
        "nets/conv-decoder",
        "nets/conv-encoder",
        "vae/bernoulli",
        "vae/elbo",
        "vae/prior",
        "vae/vae",
    ]


PLAYERS = """\
gen: 1
name: gan
data: data/digits
model: {use: gan/gan, generator: gan/dcgan, discriminator: nets/conv-encoder}
optim:
  all: {use: sgd, lr: 0.1, momentum: 0.5, scale: 3, parts: {generator: {freeze: true}}}
  generator: {scale: 0.5}
  discriminator: {use: adam, repeat: 2}
train: {epochs: 1}
"""


def test_a_phase_inherits_all_unless_it_names_its_own_optimizer(desk):
    recipe = desk.read(PLAYERS)
    optim = recipe.config["optim"]

    assert optim["generator"] == {**optim["all"], "scale": 0.5}
    assert optim["all"]["parts"] == {"generator": {"lr": None, "weight_decay": None, "freeze": True}}
    assert (optim["discriminator"]["use"], optim["discriminator"]["lr"]) == ("core/adam", 1e-3)
    assert (optim["discriminator"]["scale"], optim["discriminator"]["repeat"]) == (1.0, 2)
    assert recipe.origins["optim.generator.lr"] == "r.yaml:6"
    assert recipe.origins["optim.generator.scale"] == "r.yaml:7"


def test_a_phase_without_all_adjusts_the_default_optimizer(desk):
    optim = desk.read(
        PLAYERS.replace("  all: {use: sgd, lr: 0.1, momentum: 0.5, scale: 3, parts: {generator: {freeze: true}}}\n", "")
    ).config["optim"]

    assert optim["generator"] == {**optim["all"], "scale": 0.5}


def test_a_model_that_solves_needs_no_length(desk):
    assert (
        desk.read("gen: 1\nname: a\ndata: data/digits\nmodel: {use: ar/linear, order: 2}\n").config["train"]["steps"]
        is None
    )


def test_whole_numbers_widen_to_numbers_and_nothing_else_is_converted(desk, edit):
    assert repr(desk.read(edit("lr: 1e-3", "lr: 1")).config["optim"]["all"]["lr"]) == "1.0"
    for text in ("'1'", "true", "1_000", "1:30", "yes"):
        assert "error[wrong-type]" in desk.refused(edit("lr: 1e-3", f"lr: {text}"))


def test_a_shipped_recipe_is_read_by_name(desk):
    recipe = Recipe.read("shipped-digits", ["seed=3"], catalogue=desk.catalogue)

    assert (recipe.name, recipe.config["seed"]) == ("vae-digits", 3)


@pytest.mark.parametrize("text", ["GOOD", PLAYERS])
def test_resolved_recipe_reads_back_to_the_same(text, desk):
    recipe = desk.read(desk.good if text == "GOOD" else text)

    assert desk.read(recipe.to_yaml()).config == recipe.config
    assert desk.read(recipe.to_yaml()).to_yaml() == recipe.to_yaml()


TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cf", "Cn", "Co"], include_characters="\t\n\x85\u2028"), max_size=200
)


@FROM_FILE
@given(
    about=TEXT,
    lr=st.floats(1e-300, 1e3),
    hidden=st.lists(st.integers(1, 10**18), max_size=200),
    steps=st.integers(1, 10**9),
)
def test_any_values_survive_writing_and_reading(about, lr, hidden, steps, desk):
    mapping = {
        "gen": 1,
        "name": "a",
        "about": about,
        "data": {"use": "data/digits", "transforms": ["data/flip", {"use": "data/resize", "to": 8}]},
        "model": {
            "use": "vae/vae",
            "encoder": {"use": "nets/mlp-encoder", "hidden": hidden},
            "decoder": "nets/conv-decoder",
        },
        "optim": {"all": {"use": "adam", "lr": lr}},
        "train": {"steps": steps, "ema": {"also": (0.5, 0.25)}},
    }
    recipe = Recipe.parse(mapping, catalogue=desk.catalogue)

    assert recipe.config["about"] == about
    assert desk.read(recipe.to_yaml()).config == recipe.config


@pytest.mark.parametrize(
    "text",
    [
        "",
        "~",
        "null",
        "no",
        "1e-3",
        "017",
        "0x1f",
        ".inf",
        "2026-01-01",
        "- a",
        "a: b",
        "a #b",
        "{a",
        "'",
        '"',
        "%",
        "...",
        "---",
        "<<",
        " a ",
        "=",
        "a\nb",
        "\\",
        "é",
        "\u2028",
    ],
)
def test_text_that_could_mean_something_else_stays_text(text, desk):
    mapping = {"gen": 1, "name": "a", "about": text, "data": "data/digits", "model": {"use": "ar/linear", "order": 1}}

    assert desk.read(Recipe.parse(mapping, catalogue=desk.catalogue).to_yaml()).config["about"] == text


def test_python_and_yaml_are_equals(desk):
    mapping = {
        "gen": 1,
        "name": "vae-digits",
        "about": "Gaussian VAE on the bundled digits.",
        "data": {"use": "data/digits", "batch": 64},
        "model": {
            "use": "vae/vae",
            "latent": 16,
            "encoder": {"use": "nets/conv-encoder", "width": 32},
            "decoder": "nets/conv-decoder",
        },
        "optim": {"all": {"use": "adam", "lr": 1e-3, "schedule": {"use": "cosine", "warmup": 100}}},
        "train": {"steps": 3000, "clip": 1.0},
        "sample": {"prior": {"use": "vae/prior", "count": 16}},
        "evaluate": {"every": 500, "metrics": {"elbo": "vae/elbo"}},
        "save": {"best": "elbo"},
    }
    recipe = Recipe.parse(mapping, ["seed=4"], catalogue=desk.catalogue)

    assert recipe.config == desk.read(desk.good, "seed=4").config
    assert recipe.origins["train.steps"] == "train.steps"
    assert recipe.origins["seed"] == "argument 1"


def test_a_mistake_in_python_is_told_by_its_path(desk):
    loop: list[Any] = []
    loop.append(loop)
    mapping = {
        "gen": 1,
        "name": "a",
        "data": "data/digits",
        "model": {"use": "vae/vea"},
        "train": {"steps": 3.5, "lr": 1},
    }
    with pytest.raises(RecipeError) as caught:
        Recipe.parse(mapping, catalogue=desk.catalogue)

    assert str(caught.value) == (
        'model.use: error[unknown-component]: no model is called "vae/vea"\n'
        '   "vae/vea"\n'
        '   ^^^^^^^^^ did you mean "vae/vae"?\n'
        "   models installed: ar/linear, gan/gan, vae/vae   (gen ls models)\n"
        "\n"
        "train.steps: error[wrong-type]: train.steps takes a whole number or null, got 3.5\n"
        "   3.5\n"
        "   ^^^\n"
        "\n"
        'train.lr: error[misplaced-option]: train has no option "lr"\n'
        "   lr\n"
        '   ^^ "lr" belongs to an optimizer: write optim.all.lr'
    )
    for wrong in (object(), {1: 2}, float("nan"), 10**30, "a\0b", b"x", loop):
        with pytest.raises(RecipeError):
            Recipe.parse({**mapping, "about": wrong}, catalogue=desk.catalogue)


def test_reading_and_checking_is_fast(desk):
    assert len(desk.good.splitlines()) > 15
    spent = []
    for _ in range(5):
        began = time.process_time()
        desk.read(desk.good + "# a comment\n" * 15)
        spent.append(time.process_time() - began)

    assert min(spent) < 0.03
