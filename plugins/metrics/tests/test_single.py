"""Metrics of single samples: reconstructions, likelihoods, cost, and the linear probe."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from gen.errors import CommandError
from gen_metrics.cost import Parameters, Seconds
from gen_metrics.likelihood import BitsPerDim, Elbo, ImportanceNLL
from gen_metrics.linear_probe import LinearProbe
from gen_metrics.reconstruction import MSE, PSNR, SSIM


def images(n: int, channels: int = 1, side: int = 8) -> torch.Tensor:
    return torch.rand(n, channels, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("batch", [5, 64])
def test_a_known_error_has_known_figures(evaluation, channels, batch) -> None:
    """Off by 0.2 everywhere on a range of 2: MSE 0.04, PSNR 20 dB."""
    made = evaluation(images(13, channels), batch=batch, reconstruct=lambda x, cond: x + 0.2)

    assert MSE().measure(made).value == pytest.approx(0.04, rel=1e-5)
    assert PSNR().measure(made).value == pytest.approx(20, rel=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [3, 8, 16])
def test_structural_similarity_is_one_for_equal_images_and_less_for_others(evaluation, channels, side) -> None:
    x = images(9, channels, side)

    assert SSIM().measure(evaluation(x, reconstruct=lambda x, cond: x)).value == pytest.approx(1)
    assert SSIM().measure(evaluation(x, reconstruct=lambda x, cond: -x)).value < 0.5


def test_structural_similarity_refuses_what_is_no_image(evaluation) -> None:
    with pytest.raises(CommandError, match=r"compares images of 3 pixels or more a side; the data are \(4,\)"):
        SSIM().measure(evaluation(torch.zeros(5, 4), reconstruct=lambda x, cond: x))


@pytest.mark.parametrize(
    ("kind", "unit"), [("exact", "nats"), ("lower bound", "nats, at most"), ("estimate", "nats, estimated")]
)
def test_nats_are_the_mean_over_samples_and_say_what_they_are(evaluation, kind, unit) -> None:
    x = torch.arange(10.0).view(10, 1) / 10
    made = evaluation(x, batch=4, log_prob=lambda x, cond: -x[:, 0] * 10, log_prob_kind=kind)
    found = Elbo().measure(made)

    assert (found.value, found.unit, found.card) == (pytest.approx(4.5), unit, {"log_prob": kind})


def test_the_first_samples_are_measured_alone_and_the_standard_error_is_that_of_their_mean(evaluation) -> None:
    x = torch.tensor([1.0, 3.0, 5.0, 7.0, 90.0, 90.0]).view(6, 1)
    made = evaluation(x, batch=3, log_prob=lambda x, cond: -x[:, 0], log_prob_kind="exact")

    found = Elbo(samples=4).measure(made)

    assert (found.value, found.card) == (pytest.approx(4), {"log_prob": "exact", "samples": 4})
    assert found.parts["error"] == pytest.approx(math.sqrt(20 / 3 / 4))
    assert Elbo().measure(made).parts["error"] == pytest.approx(float(x.std()) / math.sqrt(6))


def test_the_importance_weighted_bound_asks_for_k_draws(evaluation) -> None:
    asked = []

    def log_prob(x: torch.Tensor, cond: object, draws: int = 1) -> torch.Tensor:
        asked.append(draws)
        return torch.full((len(x),), -2.0)

    found = ImportanceNLL(k=7).measure(evaluation(images(5), log_prob=log_prob, log_prob_kind="lower bound"))

    assert (found.value, found.unit, found.card) == (2, "nats, at most", {"log_prob": "lower bound, IWAE-7"})
    assert asked == [7]
    with pytest.raises(CommandError, match="draws from a posterior, and Made has none"):
        ImportanceNLL().measure(evaluation(images(5), log_prob=lambda x, cond: x))


def test_a_uniform_model_needs_as_many_bits_as_the_levels_have(evaluation) -> None:
    """256 levels: 8 bits, whether the model gives the levels' probability or a density over a range of 2."""
    x = images(6)
    levels = evaluation(x, levels=256, log_prob=lambda x, cond: torch.full((len(x),), -64 * math.log(256)))
    density = evaluation(x, levels=256, log_prob=lambda x, cond: torch.full((len(x),), -64 * math.log(2)))

    assert BitsPerDim().measure(levels).value == pytest.approx(8)
    assert BitsPerDim(density=True).measure(density).value == pytest.approx(8)


def test_bits_need_levels(evaluation) -> None:
    with pytest.raises(CommandError, match="needs quantized data"):
        BitsPerDim().measure(evaluation(images(3), log_prob=lambda x, cond: x.flatten(1).sum(1)))


def test_parameters_are_counted_by_part(evaluation) -> None:
    found = Parameters().measure(evaluation(images(3), body=nn.Linear(3, 4), head=nn.Linear(4, 1)))

    assert (found.value, found.parts) == (21, {"body": 16, "head": 5})


def test_seconds_are_for_a_thousand_samples(evaluation) -> None:
    made = evaluation(images(3), images(50))

    assert Seconds().measure(made).value == pytest.approx(20 * made.seconds())
    assert made.seconds() > 0


def test_a_code_that_is_the_class_beats_pixels_that_hide_it(evaluation) -> None:
    """The class is the sign of a product of two pixels, which no linear rule finds; the code is that product."""
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(600, 6, generator=rng)
    labels = (x[:, 0] * x[:, 1] > 0).long()
    made = evaluation(
        x[:200],
        labels=labels[:200],
        train=x[200:],
        train_labels=labels[200:],
        encode=lambda x, cond: x[:, :1] * x[:, 1:2],
    )
    found = LinearProbe(labels=(10, 100, 5000), repeats=2).measure(made)

    assert found.value == found.parts["code"] > 0.97
    assert found.parts["pixels"] < 0.65
    assert found.parts["pca"] < 0.65
    assert found.parts["code-100"] > 0.9
    assert {name.rpartition("-")[2] for name in found.parts} == {"code", "pixels", "pca", "10", "100"}
    assert found.card == {"train": 400, "code_size": 1}


def test_the_probe_wants_classes(evaluation) -> None:
    with pytest.raises(CommandError, match="needs data with classes"):
        LinearProbe().measure(evaluation(images(3), encode=lambda x, cond: x))
