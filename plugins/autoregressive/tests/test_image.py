"""The model: exact likelihoods, the loss, drawing with and without caches, completions, refusals."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch

from gen.errors import GenError, ShapeError
from gen.types import Batch, DataSpec, Domain, Progress
from gen_autoregressive.choosing import How
from gen_autoregressive.image import AutoregressiveImage


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_probabilities_of_all_binary_images_sum_to_one(network, build_model):
    model = build_model(network, (1, 3, 3))
    every = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * 9).view(512, 1, 3, 3)

    with torch.no_grad():
        log_p = model.log_prob(every)

    assert log_p.exp().sum().item() == pytest.approx(1, abs=1e-12)
    assert log_p.std() > 0.01


@pytest.mark.parametrize("likelihood", ["categorical", "logistic-mixture"])
def test_probabilities_of_all_images_of_five_levels_and_two_channels_sum_to_one(build_model, likelihood):
    model = build_model("made", (2, 1, 2), likelihood)
    every = torch.cartesian_prod(*[torch.linspace(-1, 1, 5, dtype=torch.float64)] * 4).view(625, 1, 2, 2)

    with torch.no_grad():
        log_p = model.log_prob(every.movedim(-1, 1))

    assert log_p.exp().sum().item() == pytest.approx(1, abs=1e-10)


def test_the_training_loss_is_the_mean_of_minus_log_prob(network, build_model, draw_images):
    model = build_model(network, (1, 4, 4), conditional=True)
    x, cond = draw_images(5, (1, 4, 4), 2), torch.tensor([0, 1, 2, 0, 1])

    losses = model.loss(Batch(x, cond, torch.arange(5)), Progress(0, 1))

    assert torch.equal(losses.total, -model.log_prob(x, cond).mean())
    assert losses.terms["bits_per_dim"].item() == pytest.approx(losses.total.item() / (16 * math.log(2)))


def test_cached_draws_are_the_pixels_of_uncached_ones(network, build_model):
    """Given the same draws, exactly; with labels, and with two channels of five levels."""
    nothing, cond = torch.zeros(4, 2, 3, 4, dtype=torch.float64), torch.tensor([0, 1, 2, 0])
    model = build_model(network, (2, 3, 4), "categorical", conditional=True)

    fast = model.draw(nothing, nothing, cond, rng(1), How())
    slow = model.draw(nothing, nothing, cond, rng(1), How(cached=False))

    assert torch.equal(fast, slow)
    assert len(fast.unique()) == 5
    assert not torch.equal(fast, model.draw(nothing, nothing, cond, rng(2), How()))


def test_cached_draws_are_the_pixels_of_uncached_ones_for_each_likelihood(likelihood, build_model):
    model, nothing = build_model("gated-pixelcnn", (1, 4, 4), likelihood), torch.zeros(8, 1, 4, 4, dtype=torch.float64)

    assert torch.equal(
        model.draw(nothing, nothing, None, rng(), How()), model.draw(nothing, nothing, None, rng(), How(cached=False))
    )


def test_draws_have_the_models_probabilities(build_model):
    """20,000 images of 2x2 against the chances of all 16: within five standard errors."""
    model, n = build_model("made", (1, 2, 2)), 20_000
    nothing = torch.zeros(n, 1, 2, 2, dtype=torch.float64)
    every = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * 4).view(16, 1, 2, 2)

    drawn = model.draw(nothing, nothing, None, rng(), How())
    counts = Counter(tuple(row) for row in drawn.flatten(1).tolist())
    with torch.no_grad():
        chances = model.log_prob(every).exp()

    for image, p in zip(every.flatten(1).tolist(), chances.tolist(), strict=True):
        assert abs(counts[tuple(image)] / n - p) < 5 * (p * (1 - p) / n) ** 0.5 + 1e-4


def test_completions_follow_the_conditional_distribution(build_model):
    """Half of an image of 2x2 known: the other half has the chances p(x) / p(known)."""
    model, n = build_model("pixelcnn", (1, 2, 2)), 20_000
    mask = torch.tensor([[1.0, 1.0], [0.0, 0.0]], dtype=torch.float64)
    top = torch.tensor([[1.0, -1.0], [1.0, 1.0]], dtype=torch.float64).expand(n, 1, 2, 2)
    ends = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * 2)
    every = torch.cat([torch.tensor([[1.0, -1.0]] * 4, dtype=torch.float64), ends], 1).view(4, 1, 2, 2)

    done = model.complete(top, mask, None, rng())
    with torch.no_grad():
        chances = model.log_prob(every).softmax(0)

    assert torch.equal(done[..., 0, :], top[..., 0, :])
    for end, p in zip(ends, chances.tolist(), strict=True):
        share = (done[:, 0, 1] == end).all(1).double().mean().item()
        assert abs(share - p) < 5 * (p * (1 - p) / n) ** 0.5


def test_known_pixels_stay_and_hidden_ones_are_not_looked_at(network, build_model, draw_images):
    model, x = build_model(network, (1, 4, 4)), draw_images(3, (1, 4, 4), 2)
    mask = (torch.rand(3, 1, 4, 4, generator=rng(7)) < 0.5).double()

    done = model.complete(x, mask, None, rng())
    other = model.complete(torch.where(mask.bool(), x, -x), mask, None, rng())

    assert torch.equal(done * mask, x * mask)
    assert torch.equal(done, other)
    assert model.complete(x, torch.ones(1, 4, 4), None, rng()).equal(x)


def test_observers_see_every_row(build_model):
    seen, nothing = [], torch.zeros(2, 1, 3, 4, dtype=torch.float64)
    model = build_model("made", (1, 3, 4))

    final = model.draw(nothing, nothing, None, rng(), How(observe=lambda *a: seen.append(a)))

    assert [step[:2] for step in seen] == [(1, 3), (2, 3), (3, 3)]
    assert torch.equal(seen[-1][2], final)
    assert torch.equal(seen[0][2][:, :, 0], final[:, :, 0])
    assert not seen[0][2][:, :, 1:].any()


def test_a_conditional_model_without_labels_is_refused(build_model):
    model = build_model("made", (1, 2, 2), conditional=True)

    with pytest.raises(GenError, match="needs them"):
        model.log_prob(torch.ones(1, 1, 2, 2, dtype=torch.float64))


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (Domain((1, 2, 2), levels=256), {}, "counts 2 levels, but the data have 256 levels: binarise them"),
        (Domain((1, 2, 2)), {}, r"no levels \(they are continuous\): binarise them"),
        (Domain((4,), "vector", levels=2), {}, "models images .* but the data are"),
        (Domain((1, 2, 2), levels=2), {"conditional": True}, "the data carry none: set conditional: false"),
    ],
)
def test_data_that_do_not_fit_are_refused(build_likelihood, data, options, message):
    wired = {"likelihood": build_likelihood("bernoulli"), "conditional": False, **options}

    with pytest.raises(ShapeError, match=message):
        AutoregressiveImage.wire(DataSpec.single(data), **wired)


@pytest.mark.parametrize(("levels", "message"), [(17, "give it levels: 17"), (None, "choose quantized data")])
def test_levels_that_differ_are_refused_with_the_remedy(build_likelihood, levels, message):
    with pytest.raises(ShapeError, match=message):
        AutoregressiveImage.wire(
            DataSpec.single(Domain((1, 2, 2), levels=levels)),
            likelihood=build_likelihood("categorical"),
            conditional=False,
        )


def test_a_network_of_other_shapes_is_refused(build_network, build_likelihood):
    data = DataSpec.single(Domain((1, 3, 3), levels=2))

    with pytest.raises(ShapeError, match=r"autoregressor was built with in_shape=\(1, 2, 2\), but this model needs"):
        AutoregressiveImage(
            data=data, autoregressor=build_network("made", (1, 2, 2)), likelihood=build_likelihood("bernoulli")
        )
