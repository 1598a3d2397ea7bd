"""The samplers: the model's own draws, several completions, refusals."""

from __future__ import annotations

import pytest
import torch

from gen.errors import GenError
from gen.types import Given
from gen_autoregressive.choosing import How
from gen_autoregressive.samplers.ancestral import Ancestral
from gen_autoregressive.samplers.complete import Complete


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_ancestral_samples_are_the_models_draws(network, build_model):
    model, nothing = build_model(network, (1, 3, 3)), torch.zeros(5, 1, 3, 3, dtype=torch.float64)

    drawn = Ancestral().sample(model, 5, rng=rng(3))

    assert torch.equal(drawn, model.draw(nothing, nothing, None, rng(3), How()))
    assert torch.equal(drawn, Ancestral(cached=False).sample(model, 5, rng=rng(3)))
    assert set(drawn.unique().tolist()) <= {-1.0, 1.0}


def test_top_k_of_one_draws_one_image(build_model):
    drawn = Ancestral(top_k=1).sample(build_model("made", (1, 3, 3)), 6, rng=rng())

    assert len(drawn.flatten(1).unique(dim=0)) == 1


def test_several_completions_of_each_image_share_its_known_rows(build_model, draw_images):
    model, x = build_model("gated-pixelcnn", (1, 4, 4)), draw_images(6, (1, 4, 4), 2)
    mask = torch.zeros(1, 1, 4, 4)
    mask[:, :, :2] = 1
    sampler, given = Complete(completions=3), Given(x, mask)

    done = sampler.sample(model, 6, rng=rng(), given=given)  # two images, three completions of each

    assert torch.equal(done[:, :, :2], x[:2, :, :2].repeat(3, 1, 1, 1))
    assert len(done[::2].flatten(1).unique(dim=0)) > 1
    images, known, *completions = sampler.rows(model, done, given)
    assert torch.equal(images, x[:2])
    assert torch.equal(known[:, :, :2], x[:2, :, :2])
    assert not known[:, :, 2:].any()
    assert torch.equal(torch.cat(completions), done)


def test_labels_belong_to_the_images_completed(build_model, draw_images):
    model, x = build_model("made", (1, 3, 3), conditional=True), draw_images(4, (1, 3, 3), 2)
    sampler, cond = Complete(completions=2, top_k=1), torch.tensor([0, 1, 2, 0])

    done = sampler.sample(model, 4, rng=rng(), cond=cond, given=Given(x, torch.zeros(4, 1, 3, 3)))

    assert torch.equal(done[:2], done[2:])


def test_completions_without_images_are_refused(build_model):
    with pytest.raises(GenError, match="starts from images and masks"):
        Complete().sample(build_model("made", (1, 3, 3)), 2, rng=rng())


def test_a_model_that_only_completes_is_sampled_too_but_knows_no_temperature():
    class Filler(torch.nn.Linear):
        log_prob_kind = "lower bound"
        data = type("Data", (), {"shape": (1, 2, 2)})

        def complete(self, x, mask, cond=None, rng=None):
            return torch.where(mask.bool(), x, 0.5)

    assert torch.equal(Ancestral().sample(Filler(1, 1), 2, rng=rng()), torch.full((2, 1, 2, 2), 0.5))
    with pytest.raises(GenError, match=r"autoregressive/ancestral: temperature, .* which Filler is not"):
        Ancestral(temperature=0.5).sample(Filler(1, 1), 2, rng=rng())
