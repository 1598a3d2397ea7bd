"""Every kind of model that a recipe ships draws in half precision and in channels-last memory, near what it draws."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
import torch

from gen import registry
from gen.building import Experiment, build
from gen.interfaces import Sampler
from gen.plugins import RecipeFile, catalogue
from gen.recipe.recipe import Recipe
from gen.sampling import draw

ROOT = registry.checkout_file().parent
BUNDLED = ("data/digits", "data/points")
CHOOSING = ("autoregressive/image", "vae/vq")  # a rounding may tip a choice among levels or codes
CPU = torch.device("cpu")


def one_of_every_model() -> dict[str, RecipeFile]:
    """Model → the first shipped recipe of it whose data come with the product."""
    chosen: dict[str, RecipeFile] = {}
    for plugin in catalogue().plugins:
        for shipped in plugin.recipes if plugin.folder and ROOT in plugin.folder.resolve().parents else ():
            config = Recipe.read(shipped.path).config
            if config["data"]["use"] in BUNDLED and config["sample"]:
                chosen.setdefault(config["model"]["use"], shipped)
    return chosen


CHOSEN = one_of_every_model()


@pytest.mark.parametrize("model", CHOSEN)
def test_samples_in_half_precision_are_near_those_in_float32(model: str) -> None:
    experiment = opened(CHOSEN[model])
    for label, value in experiment.config["sample"].items():
        exact = drawn(experiment, label, value)
        rough = drawn(experiment, label, {**value, "precision": "bf16", "channels_last": True})
        assert rough.dtype == torch.float32
        assert rough.isfinite().all()
        if model not in CHOOSING:
            assert (rough - exact).square().mean().sqrt() < 0.05 * exact.std()  # bfloat16 keeps 8 bits


def opened(shipped: RecipeFile) -> Experiment:
    torch.manual_seed(0)
    experiment = build(Recipe.read(shipped.path), data_root=Path(), device="cpu")
    experiment.model.eval()
    with torch.no_grad():  # many networks start with an output of nothing, which is the same in any precision
        for parameter in experiment.model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return experiment


def drawn(experiment: Experiment, label: str, value: dict) -> torch.Tensor:
    """A few samples, in few steps where the sampler takes steps."""
    few = {"steps": 3} if "steps" in value else {}
    sampler: Sampler = experiment.builder.make({**value, **few}, path=f"sample.{label}")
    if type(sampler).fit is not Sampler.fit:
        sampler.fit(experiment.model, islice(experiment.train.batches(64, CPU), 2))
    x, _ = draw(experiment.model, sampler, 4, seed=0, device=CPU, split=experiment.split("val"))
    return x
