"""run, resume, sample and plan as a person meets them: exit statuses, one clear message, and no traceback."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

RUN = Path("runs/toy-one/0001")


@pytest.fixture(scope="module")
def trained(shared, toy_recipe_of_module):
    """A finished run of one phase, and what was said."""
    recipe = shared.recipe(toy_recipe_of_module(), "one.yaml")
    ended = shared("run", recipe)
    assert ended.status == 0, ended.err
    return shared, ended


@pytest.fixture(scope="module")
def toy_recipe_of_module():
    def make(**sections):
        return {
            "gen": 1,
            "name": "toy-one",
            "data": {"use": "local/points", "batch": 16},
            "model": "local/one",
            "train": {"steps": 6, "log": 2, "ema": {"decay": 0.5}},
            "sample": {"codes": {"use": "local/codes", "count": 4}},
            "evaluate": {"every": 3, "metrics": {"loss": "loss"}},
            **sections,
        }

    return make


@pytest.fixture(scope="module")
def pictured(shared):
    """A run on real digits, whose samples are pictures; skipped where its plugins are not installed."""
    pytest.importorskip("gen_vae")
    recipe = {
        "gen": 1,
        "name": "pictures",
        "data": {"use": "data/digits", "batch": 64},
        "model": {"use": "vae/vae", "latent": 4, "encoder": "nets/mlp-encoder", "decoder": "nets/mlp-decoder"},
        "train": {"steps": 2},
        "sample": {"prior": {"use": "vae/prior", "count": 6}},
    }
    ended = shared("run", shared.recipe(recipe, "pictures.yaml"), toys=False)
    assert ended.status == 0, ended.err
    return shared


def refused(ended, status: int = 2) -> str:
    assert ended.status == status, (ended.out, ended.err)
    assert "Traceback" not in ended.err
    assert ended.out == ""
    return ended.err


def test_a_run_says_what_it_did_and_what_comes_next(trained):
    _, ended = trained

    assert ended.out.splitlines()[0] == "done at step 6"
    assert [line.split()[0] for line in ended.out.splitlines()[1:]] == [
        "run", "loss", "loss/model/error", "loss/model/loss", "figures", "report", "more"
    ]  # fmt: skip
    assert f"gen sample {RUN} -n 64" in ended.out


def test_what_a_run_cannot_do_is_not_offered(trained, toy_recipe_of_module):
    shared, _ = trained
    recipe = shared.recipe(toy_recipe_of_module(name="drawless", train={"steps": 1}), "drawless.yaml")

    assert "gen sample" not in shared("run", recipe, "~sample").out


def test_a_plugin_file_that_was_not_named_is_asked_for(trained):
    shared, _ = trained
    said = refused(shared("run", "one.yaml", toys=False))

    assert '"local/one" needs the plugin "local", which is not installed' in said
    assert "local is the plugin that is one file: name it with --plugin FILE" in said


def test_progress_is_plain_lines_where_there_is_no_terminal(trained):
    _, ended = trained
    steps = [line for line in ended.err.splitlines() if line.startswith("step ") and "images/s" in line]

    assert [line.split()[1] for line in steps] == ["2/6", "4/6", "6/6"]
    assert all("model/loss" in line and line.endswith(" left") for line in steps)
    assert "\x1b" not in ended.err + ended.out
    assert "\r" not in ended.err


def test_runs_are_numbered(trained, toy_recipe_of_module):
    shared, _ = trained
    recipe = shared.recipe(toy_recipe_of_module(name="numbered", train={"steps": 1}), "numbered.yaml")

    for number in ("0001", "0002"):
        assert f"runs/numbered/{number}" in shared("run", recipe).out
    assert "runs/numbered/0002" in shared("resume", "runs/numbered").err


def test_quiet_leaves_the_summary_alone(trained, toy_recipe_of_module):
    shared, _ = trained
    recipe = shared.recipe(toy_recipe_of_module(name="quiet"), "quiet.yaml")
    ended = shared("run", recipe, "--quiet")

    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("done at step 6\n")


def test_a_smoke_run_tries_everything_and_leaves_nothing(trained):
    shared, _ = trained
    ended = shared("run", "one.yaml", "--smoke", "--runs", "smoke")

    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("ok: 2 steps, ")
    assert ended.out.endswith(" 0 pictures, saved and read back 296 parameters\n")
    assert not (shared.folder / "smoke").exists()


def test_extending_a_run_goes_on_from_its_end(trained):
    shared, _ = trained
    shutil.copytree(shared.folder / RUN, shared.folder / "extended")
    ended = shared("resume", "extended", "train.steps=8")

    assert ended.status == 0
    assert ended.out.startswith("done at step 8\n")
    again = shared("resume", "extended")
    assert "nothing to do: the run has its 8 steps (train.steps=… extends it)" in again.err


MISTAKES = {
    "resume nothing": (("resume", "nowhere"), "nowhere is not a run folder: it has no run.json (gen ls runs lists"),
    "sample nothing": (("sample", "nowhere"), "nowhere is not a run folder: it has no run.json (gen ls runs lists"),
    "run nothing": (("run", "nowhere.yaml"), "nowhere.yaml"),
    "plan nothing": (("plan", "nowhere.yaml"), "nowhere.yaml"),
    "no samples": (("sample", RUN, "-n", "0"), "-n takes 1 or more, got 0"),
    "minus a sample": (("sample", RUN, "-n", "-3"), "-n takes 1 or more, got -3"),
    "a word for a number": (("sample", RUN, "-n", "many"), "gen sample: argument -n: invalid int value: 'many'"),
    "a negative seed": (("sample", RUN, "--seed", "-1"), "--seed takes 0 to 2**63 - 1, got -1"),
    "a label": (("sample", RUN, "--label", "1"), "this model was not trained with labels: leave --label out"),
    "weights": (("sample", RUN, "--weights", "emma"), f'{RUN}/model has no weights "emma"; it has raw, ema, ema-0.5'),
    "a decay": (
        ("sample", RUN, "--weights", "ema-0.9"),
        f'{RUN}/model has no weights "ema-0.9"; it has raw, ema, ema-0.5',
    ),
    "a sampler": (("sample", RUN, "--with", "cods"), 'the run has no sampler "cods"; it has codes'),
    "a component": (
        ("sample", RUN, "--with", "local/cods"),
        'has no component "local/cods"\n   did you mean "local/codes"?',
    ),
    "a sampler it cannot serve": (
        ("sample", RUN, "--with", "local/latent"),
        "local/latent needs generate, which local/one lacks",
    ),
    "no sampler at all": (("sample", RUN, "--with", "local/encoder"), "local/encoder"),
    "no pictures": (("sample", RUN), "these samples are no pictures: write them to a file with -o samples.npz"),
    "the device": (("run", "one.yaml", "--device", "tpu"), "gen run: argument --device: invalid choice: 'tpu'"),
    "a science override": (("resume", RUN, "seed=4"), '"seed=4" would change what the run is; on resuming you may'),
    "a misspelled override": (("resume", RUN, "train.stepz=9"), 'did you mean "steps"?'),
    "fewer steps than were done": (("resume", RUN, "train.steps=2"), "is at step 6 already: train.steps takes that or"),
    "two beginnings": (("sample", RUN, "--translate", "x", "--input", "y"), "says what to start from already: leave"),
    "a picture in another format": (("sample", RUN, "-o", "x.JPG"), "a file ending in .png or .npz, got x.JPG"),
    "no format": (("run", "one.yaml", "gen=one"), 'gen takes a whole number, got "one"'),
    "an override without effect": (("run", "one.yaml", "train.stepz=3"), "train.stepz"),
    "fp16": (("run", "one.yaml", "train.precision=fp16", "--device", "cpu"), "train.precision fp16 needs a GPU"),
    "a plugin": (("run", "one.yaml", "--plugin", "none.py"), "none.py"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_message(mistake, trained):
    shared, _ = trained
    words, said = MISTAKES[mistake]

    assert said in refused(shared(*words))


@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_misfit_is_told_at_its_place(command, trained, toy_recipe_of_module):
    shared, _ = trained
    crooked = {"use": "local/one", "decoder": {"use": "local/decoder", "crooked": True}}
    shared.recipe(toy_recipe_of_module(name="crooked", model=crooked), "crooked.yaml")
    said = refused(shared(command, "crooked.yaml"))

    assert "error[shape]: model.decoder" in said
    assert "crooked.yaml:" in said


def test_data_that_are_missing_are_told_at_their_place(trained):
    pytest.importorskip("gen_data")
    shared, _ = trained
    recipe = {
        "gen": 1,
        "name": "absent",
        "data": {"use": "data/mnist", "batch": 16},
        "model": "local/one",
        "train": {"steps": 1},
    }
    shared.recipe(recipe, "absent.yaml")
    said = refused(shared("run", "absent.yaml", "--data-root", "nowhere"))

    assert "absent.yaml:" in said
    assert "error[data]" in said
    assert "nowhere" in said
    assert not (shared.folder / "runs" / "absent").exists()


def test_a_run_that_has_saved_nothing_says_so(trained, toy_recipe_of_module):
    shared, _ = trained
    shutil.copytree(shared.folder / RUN, shared.folder / "unsaved")
    shutil.rmtree(shared.folder / "unsaved" / "model")
    shutil.rmtree(shared.folder / "unsaved" / "checkpoints")

    assert refused(shared("sample", "unsaved")) == "unsaved has saved no model yet: let it reach its first save\n"
    said = refused(shared("resume", "unsaved"), status=3)
    assert said == "unsaved has no whole checkpoint to go on from: start anew with gen run\n"


def test_a_run_folder_that_cannot_be_made_stops_the_run(trained):
    shared, _ = trained
    (shared.folder / "file").write_text("")

    assert "cannot make a run folder under file/toy-one" in refused(shared("run", "one.yaml", "--runs", "file"), 3)


def test_samples_are_a_function_of_the_seed(trained):
    shared, _ = trained
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        ended = shared("sample", RUN, "-n", 3, "--seed", seed, "-o", f"{name}.npz")
        assert (ended.status, ended.out) == (0, f"{name}.npz\n"), ended.err
    a, b, c = ((shared.folder / f"{name}.npz").read_bytes() for name in "abc")

    assert a == b
    assert a != c
    assert np.load(shared.folder / "a.npz")["x"].shape == (3, 6)


def test_raw_and_averaged_weights_draw_differently(trained):
    shared, _ = trained
    for which in ("raw", "ema", "ema-0.5"):
        assert shared("sample", RUN, "--weights", which, "-o", f"{which}.npz").status == 0
    raw, ema, same = (np.load(shared.folder / f"{which}.npz")["x"] for which in ("raw", "ema", "ema-0.5"))

    assert np.array_equal(ema, same)
    assert not np.array_equal(raw, ema)


def test_pictures_go_where_they_are_wanted(pictured):
    folder = pictured.folder
    sample = ("sample", "runs/pictures", "-n", 6, "--seed", 5)
    for out, said in (
        ((), ["runs/pictures/0001/drawn/prior-seed5.png"]),
        (("-o", "grid.png"), ["grid.png"]),
        (("-o", "folder"), ["folder/prior-seed5.png"]),
        (("-o", "grid.png", "--singles"), ["grid.png", *(f"grid/{i:05d}.png" for i in range(6))]),
    ):
        ended = pictured(*sample, *out, toys=False)
        assert (ended.status, ended.err) == (0, "")
        assert ended.out.split() == said
        for name in said:
            with Image.open(folder / name) as picture:
                assert picture.mode == "L"

    assert (folder / "grid.png").read_bytes() == (folder / "folder" / "prior-seed5.png").read_bytes()


def test_a_folder_where_nothing_can_be_written_is_one_message(pictured):
    (pictured.folder / "flat").write_text("")

    for out in ("flat/grid.png", "flat/x.npz"):
        assert "flat" in refused(pictured("sample", "runs/pictures", "-o", out, toys=False), status=3)


def test_tensorboard_gets_event_files_when_asked(trained, toy_recipe_of_module):
    pytest.importorskip("tensorboard")
    shared, _ = trained
    recipe = shared.recipe(toy_recipe_of_module(name="tracked", track=["tensorboard"]), "tracked.yaml")
    ended = shared("run", recipe)

    assert ended.status == 0, ended.err
    assert list((shared.folder / "runs/tracked/0001/tensorboard").rglob("events.out.tfevents.*"))


def set_at(config, path: str, value) -> None:
    *before, last = path.split(".")
    for key in before:
        config = config[key]
    config[last] = value


HOSTILE = {
    "a function for a model": ("model.use", "os.system"),
    "a path for a model": ("model.use", "../../evil"),
    "a network for a model": ("model.use", "local/encoder"),
    "a function for a part": ("model.encoder", {"use": "builtins/eval", "source": "1"}),
    "a data set for a part": ("model.encoder", {"use": "local/points"}),
    "a number for a part": ("model.encoder", 7),
    "a list for a model": ("model", [1, 2]),
    "nothing for a model": ("model", None),
    "a number for the data": ("data", 3),
    "a huge shape": ("data.domains.x.shape", [2**40]),
    "a negative shape": ("data.domains.x.shape", [-6]),
    "a word for a shape": ("data.domains.x.shape", "six"),
    "words in a shape": ("data.domains.x.shape", ["six"]),
    "a word for an option": ("model.bad_step", "soon"),
    "a list for the files": ("files", []),
    "a number for a file": ("files.ema", 5),
    "a file outside": ("files.ema.file", "/etc/passwd"),
    "a file that is absent": ("files.ema.file", "none.safetensors"),
    "another hash": ("files.ema.sha256", "0" * 64),
    "a number for a hash": ("files.ema.sha256", 0),
    "a word for the step": ("step", "last"),
    "another format": ("format", 99),
    "a number for samplers": ("sample", 5),
    "a function for a sampler": ("sample", {"x": {"use": "os.system"}}),
    "a model for a sampler": ("sample", {"x": {"use": "local/one"}}),
    "a number for a solver": ("sample", {"x": {"use": "diffusion/edit", "solver": 5}}),
    "a metric for a solver": ("sample", {"x": {"use": "diffusion/edit", "solver": "metrics/frechet"}}),
    "a run beside a sampler": ("sample", {"x": {"use": "local/codes", "run": "/etc"}}),
    "a huge count": ("sample", {"x": {"use": "local/codes", "count": 10**18}}),
    "a part of another run": ("model.encoder", {"run": "/etc", "part": "x", "weights": "raw"}),
    "a part of itself": ("model.encoder", {"run": ".", "part": "encoder", "weights": "raw"}),
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_a_strangers_model_is_refused_in_one_message_and_at_once(attack, trained, gen):
    shared, _ = trained
    shutil.copytree(shared.folder / RUN, gen.folder / "stranger")
    path = gen.folder / "stranger" / "model" / "config.json"
    config = json.loads(path.read_text())
    set_at(config, *HOSTILE[attack])
    path.write_text(json.dumps(config))
    started = time.monotonic()
    ended = gen("sample", "stranger", "-o", "x.npz")

    assert refused(ended)
    assert time.monotonic() - started < 30  # a second and less where the machine is quiet
    assert not (gen.folder / "x.npz").exists()


CONTENTS = ["", "[]", "{", '{"format": 1}', '{"format": 1, "files": {"raw": {}}}', "[" * 100_000]


@pytest.mark.parametrize("content", CONTENTS)
def test_a_config_that_is_none_is_refused(content, trained, gen):
    shared, _ = trained
    shutil.copytree(shared.folder / RUN, gen.folder / "stranger")
    (gen.folder / "stranger" / "model" / "config.json").write_text(content)

    assert "config.json" in refused(gen("sample", "stranger", "-o", "x.npz"))
