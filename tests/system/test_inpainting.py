"""`gen sample RUN --with … --input … --mask …`: pictures of the user's own and held-out ones, through a denoiser."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gen import cli

pytest.importorskip("gen_diffusion")
pytest.importorskip("gen_data")

TASKS = {
    "inpaint": {"use": "diffusion/inpaint", "steps": 3, "repeats": 2, "count": 4},
    "enlarge": {"use": "diffusion/super-resolve", "steps": 3, "count": 4},
    "blend": {"use": "diffusion/interpolate", "frames": 3, "solver": {"use": "diffusion/heun", "steps": 3}, "count": 6},
    "edit": {"use": "diffusion/edit", "solver": {"use": "diffusion/ddim", "steps": 3}, "count": 4},
    "fresh": {"use": "diffusion/ddim", "steps": 3, "count": 4},
}


def recipe(name: str, **model) -> dict:
    """A diffusion model of few weights on the bundled digits, 28x28 and grey."""
    return {
        "gen": 1,
        "name": name,
        "data": {"use": "data/digits", "batch": 16},
        "model": {"use": "diffusion/ddpm", "denoiser": {"use": "diffusion/mlp", "width": 8, "depth": 1}, **model},
        "train": {"steps": 2},
        "sample": TASKS,
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with two runs and pictures: whole, small, of an odd size, in colour."""
    folder = tmp_path_factory.mktemp("inpainting")
    for made in (recipe("plain"), recipe("told", conditional=True)):
        (folder / "recipe.yaml").write_text(json.dumps(made, indent=1))
        assert cli.main(["run", str(folder / "recipe.yaml"), "--runs", str(folder), "--quiet"]) == 0
    side = _side(folder)
    light = np.linspace(0, 255, side * side).reshape(side, side).astype(np.uint8)
    Image.fromarray(light).save(folder / "whole.png")
    Image.fromarray(light[::2, ::2]).save(folder / "small.png")
    Image.fromarray(light[:5, :5]).save(folder / "odd.png")
    Image.fromarray(np.dstack([light, light.T, light])).save(folder / "colour.png")
    Image.fromarray((light > 100).astype(np.uint8) * 255).save(folder / "mask.png")
    return folder


def _side(folder: Path) -> int:
    config = json.loads((folder / "plain/0001/model/config.json").read_text())
    return int(config["data"]["domains"]["x"]["shape"][1])


def sampled(folder: Path, *words: str, run: str = "plain") -> np.ndarray:
    out = folder / "out.npz"
    assert cli.main(["sample", str(folder / run / "0001"), *words, "-o", str(out)]) == 0
    with np.load(out) as found:
        return np.asarray(found["x"])


def read(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(np.float32) / 127.5 - 1


def test_pictures_of_every_task_are_made_in_training(folder):
    shown = {path.stem for path in (folder / "plain/0001/samples").rglob("*.png")}
    assert shown == set(TASKS)


def test_options_of_the_sampler_are_set_on_the_command_line(folder, capsys):
    three, same, five = (
        sampled(folder, "--with", "fresh", "-n", "2", *words)
        for words in ((), ("sampler.steps=3",), ("sampler.steps=5",))
    )

    assert np.array_equal(three, same)
    assert not np.array_equal(three, five)
    for word, said in (
        ("sampler.stepz=5", 'argument 1: error[unknown-option]: diffusion/ddim has no option "stepz"'),
        ("steps=5", '"steps=5" is no option of the sampler: write sampler.NAME=VALUE, like sampler.steps=10'),
        ("sampler.use=diffusion/heun", "would be another sampler: choose it with --with NAME"),
    ):
        assert cli.main(["sample", str(folder / "plain/0001"), "--with", "fresh", word]) == 2
        assert said in capsys.readouterr().err


def test_what_the_mask_knows_of_a_picture_is_kept_and_the_rest_is_drawn(folder):
    words = ("--with", "inpaint", "--input", str(folder / "whole.png"), "--mask", str(folder / "mask.png"), "-n", "3")

    x, known = sampled(folder, *words), read(folder / "mask.png") > 0

    assert x.shape == (3, 1, *known.shape)
    assert np.allclose(x[:, 0, known], read(folder / "whole.png")[known], atol=1e-6)
    assert not np.allclose(x[0, 0, ~known], x[1, 0, ~known])


def test_without_a_picture_held_out_samples_are_masked_by_word(folder):
    half, other = (sampled(folder, "--with", "inpaint", "--mask", word, "-n", "2") for word in ("half", "random:0.1"))
    assert half.shape == other.shape
    assert not np.allclose(half, other)


def test_a_small_picture_is_enlarged_and_a_whole_one_made_small_first(folder):
    small = sampled(folder, "--with", "enlarge", "--input", str(folder / "small.png"))
    side = small.shape[-1]

    means = small.reshape(side // 2, 2, side // 2, 2).mean((1, 3))

    assert np.allclose(means, read(folder / "small.png"), atol=1e-4)
    assert sampled(folder, "--with", "enlarge", "--input", str(folder / "whole.png")).shape == small.shape


def test_a_folder_of_two_pictures_is_blended_into_a_row(folder):
    pair = folder / "pair"
    pair.mkdir()
    for name in "ab":
        (pair / f"{name}.png").write_bytes((folder / "whole.png").read_bytes())
    assert len(sampled(folder, "--with", "blend", "--input", str(pair))) == 3


def test_a_picture_for_a_model_told_labels_comes_with_one(folder, capsys):
    words = ("--with", "edit", "--input", str(folder / "whole.png"))

    assert len(sampled(folder, *words, "--label", "3", run="told")) == 1
    assert cli.main(["sample", str(folder / "told/0001"), *words]) == 2
    assert "trained with labels: say what the pictures of --input show with --label" in capsys.readouterr().err


REFUSED = {
    "an odd size": (("--with", "inpaint", "--input", "odd.png"), "odd.png is 5x5 pixels; here it must be"),
    "two odd sizes": (("--with", "enlarge", "--input", "odd.png"), " or "),
    "colour": (("--with", "inpaint", "--input", "colour.png"), "is in colour, and this model knows grey pictures only"),
    "no file": (("--with", "inpaint", "--input", "none.png"), "none.png does not exist"),
    "no start": (("--with", "fresh", "--input", "whole.png"), "starts from noise alone: leave --input out"),
    "no completion": (("--with", "edit", "--mask", "half"), "completes nothing: leave --mask out"),
    "a small mask": (("--with", "inpaint", "--mask", "odd.png"), "odd.png is 5x5 pixels; the data are"),
    "no mask": (("--with", "inpaint", "--mask", "quarter"), "is neither"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_in_a_sentence(case, folder, capsys):
    words, said = REFUSED[case]
    words = [str(folder / word) if word.endswith(".png") else word for word in words]

    assert cli.main(["sample", str(folder / "plain/0001"), *words]) == 2

    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert len(error.splitlines()) == 1
