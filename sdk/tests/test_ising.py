"""Enumerated Ising models against independence, the chain rule and the chain of Ising."""

import math

import pytest
import torch

from gen_sdk.oracles.ising import Ising


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def model() -> Ising:
    return Ising.example(rng())


def test_the_512_images_are_distinct_and_their_probabilities_sum_to_one(model):
    assert model.images.shape == (512, 1, 3, 3)
    assert len(model.images.flatten(1).unique(dim=0)) == 512
    assert model.probabilities.sum().item() == pytest.approx(1, abs=1e-12)
    torch.testing.assert_close(model.log_prob(model.images).exp(), model.probabilities, rtol=1e-12, atol=0)


def test_without_couplings_pixels_are_independent():
    field = torch.randn(3, 3, generator=rng(1), dtype=torch.float64)
    model = Ising(field, torch.zeros(3, 2, dtype=torch.float64), torch.zeros(2, 3, dtype=torch.float64))
    on = (2 * field).sigmoid()  # p(+1) = e^h / (e^h + e^-h)

    torch.testing.assert_close(model.marginals(), on, rtol=1e-12, atol=0)
    torch.testing.assert_close(model.conditionals(model.images), on.expand(512, 1, 3, 3), rtol=1e-12, atol=0)


def test_a_chain_has_the_partition_function_of_ising():
    coupling, length = 0.7, 9
    none, couplings = torch.zeros(1, 9, dtype=torch.float64), torch.full((1, 8), coupling, dtype=torch.float64)
    model = Ising(none, couplings, none[:0])
    log_z = length * math.log(2) + (length - 1) * math.log(math.cosh(coupling))  # Ising 1925, open ends
    aligned = torch.ones(1, 1, 1, 9, dtype=torch.float64)

    assert model.log_prob(aligned).item() == pytest.approx((length - 1) * coupling - log_z, abs=1e-12)


def test_conditionals_multiply_to_the_joint(model):
    on = model.conditionals(model.images)  # [512, 1, 3, 3]
    taken = torch.where(model.images > 0, on, 1 - on)

    torch.testing.assert_close(taken.log().sum((1, 2, 3)), model.log_prob(model.images), rtol=1e-9, atol=1e-9)


def test_a_conditional_does_not_depend_on_its_own_pixel_nor_on_later_ones(model):
    x = model.images[77:78].clone()
    before = model.conditionals(x).flatten()
    x.view(-1)[4:] *= -1
    after = model.conditionals(x).flatten()

    torch.testing.assert_close(before[:5], after[:5], rtol=0, atol=0)
    assert (before[5:] != after[5:]).any()


def test_the_first_conditional_is_the_marginal(model):
    torch.testing.assert_close(model.conditionals(model.images)[0, 0, 0, 0], model.marginals()[0, 0])


def test_samples_have_the_marginals_and_the_entropy(model):
    x, n = model.sample(20_000, rng(2)), 20_000
    p = model.marginals()
    surprise = -model.log_prob(x)

    assert ((((x[:, 0] > 0).double().mean(0) - p).abs()) < 4 * (p * (1 - p) / n).sqrt()).all()
    assert abs(surprise.mean().item() - model.entropy()) < 4 * surprise.std().item() / math.sqrt(n)


def test_what_cannot_be_enumerated_or_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="5x5 pixels are too many to enumerate: at most 16"):
        Ising.example(rng(), side=5)
    with pytest.raises(
        ValueError, match=r"a field of 3x3 has couplings right \[3, 2\] and down \[2, 3\], got \[2, 3\]"
    ):
        Ising(torch.zeros(3, 3), torch.zeros(2, 3), torch.zeros(3, 2))
