"""Drawing from a finished run in Python: a sampler's options are set where it is called, but for what was fitted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

import gen
from gen.cli import main
from gen.errors import CheckpointError, CommandError
from gen.running import Run

RECIPE = {
    "gen": 1,
    "name": "drawn",
    "data": {"use": "data/digits", "batch": 64},
    "model": {
        "use": "vae/vae",
        "encoder": {"use": "nets/mlp-encoder", "hidden": [8]},
        "decoder": {"use": "nets/mlp-decoder", "hidden": [8]},
    },
    "train": {"steps": 2, "ema": {"decay": 0.5}},
    "sample": {
        "prior": {"use": "vae/prior", "count": 7, "weights": "raw"},
        "mixture": {"use": "vae/latent-mixture", "components": 2},
    },
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Run:
    return gen.run(RECIPE, runs=tmp_path_factory.mktemp("runs"), quiet=True, device="cpu")


def test_count_and_weights_are_the_samplers_unless_said(drawn):
    own, raw, ema = drawn.sample(), drawn.sample(weights="raw"), drawn.sample(weights="ema")

    assert len(own) == 7
    assert torch.equal(own, raw)
    assert not torch.equal(own, ema)
    assert len(drawn.sample(3)) == len(drawn.sample(overrides=["sampler.count=3"])) == 3
    assert torch.equal(drawn.sample(overrides=["sampler.weights=ema"]), ema)


def test_what_was_fitted_keeps_the_options_it_was_fitted_with(drawn):
    said = r'^"sampler.components=3" comes too late: this sampler was fitted in training, with the options it had$'
    with pytest.raises(CommandError, match=said):
        drawn.sample(sampler="mixture", overrides=["sampler.components=3"])

    assert len(drawn.sample(sampler="mixture", overrides=["sampler.count=3", "sampler.channels_last=true"])) == 3


def test_emulated_bf16_is_warned_of(drawn, monkeypatch):
    monkeypatch.setattr("gen.sampling.has_bf16", lambda device: False)
    with pytest.warns(UserWarning, match="^the sampler prior draws in bf16, which this device emulates, several times"):
        drawn.sample(2, ["sampler.precision=bf16"], sampler="prior")

    monkeypatch.setattr("gen.sampling.has_bf16", lambda device: True)
    assert len(drawn.sample(2, ["sampler.precision=bf16"], sampler="prior")) == 2


@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_sampler_that_cannot_serve_the_model_is_refused_before_training(command, tmp_path, monkeypatch, capsys):
    pytest.importorskip("gen_diffusion")
    monkeypatch.chdir(tmp_path)

    assert main([command, "ddpm-digits", "sample.ancestral.guidance=2"]) == 2
    assert capsys.readouterr().err.startswith("sample.ancestral: guidance: 2 needs labels or a weaker network: train")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("entry", [5, {"file": 5}, {"file": "raw"}, {}])
def test_a_strangers_word_on_what_was_fitted_is_one_message(drawn, tmp_path, entry):
    path = Path(shutil.copytree(drawn.path, tmp_path / "stranger")) / "model/config.json"
    config = json.loads(path.read_text())
    config["files"]["sampler.mixture"] = entry
    path.write_text(json.dumps(config))

    with pytest.raises(CheckpointError, match="stranger/model"):
        gen.load(tmp_path / "stranger").sampler("mixture")


def test_a_precision_the_device_lacks_is_refused_before_anything_is_made(tmp_path):
    asked = {**RECIPE, "sample": {"prior": {"use": "vae/prior", "precision": "fp16"}}}
    with pytest.raises(CommandError, match=r"^the sampler prior asks for fp16, which a CPU lacks: bf16 works here$"):
        gen.run(asked, runs=tmp_path, quiet=True, device="cpu")

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("instructions", "precision"), [(True, "bf16"), (False, "fp32")])
def test_precision_auto_is_settled_for_samplers_too(tmp_path, monkeypatch, instructions, precision):
    monkeypatch.setattr("gen.precision.has_bf16", lambda device: instructions)
    asked = {**RECIPE, "sample": {"prior": {"use": "vae/prior", "precision": "auto"}}}

    made = gen.run(asked, runs=tmp_path, quiet=True, device="cpu")

    assert json.loads((made.path / "model/config.json").read_text())["sample"]["prior"]["precision"] == precision
