import itertools
import math

import pytest
import torch

from gen_vae.likelihoods.bernoulli import Bernoulli
from gen_vae.likelihoods.gaussian import Gaussian

LIKELIHOODS = [Bernoulli(), Gaussian(c=0.3)]


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_bernoulli_sums_to_one_over_all_images():
    images = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=6)), dtype=torch.float64).view(64, 1, 2, 3)
    logits = torch.randn(1, 1, 2, 3, generator=rng(), dtype=torch.float64).expand(64, -1, -1, -1)

    assert Bernoulli().log_prob(logits, images).exp().sum().item() == pytest.approx(1, abs=1e-12)


def test_gaussian_integrates_to_one():
    x = torch.linspace(-12, 12, 4001, dtype=torch.float64)
    density = Gaussian(c=0.3).log_prob(torch.full((4001, 1), 0.4, dtype=torch.float64), x[:, None]).exp()

    assert torch.trapezoid(density, x).item() == pytest.approx(1, abs=1e-9)


def test_gaussian_is_half_the_squared_error_over_c_and_a_constant():
    x, mean = torch.randn(2, 5, 1, 2, 3, generator=rng(), dtype=torch.float64)
    wanted = (x - mean).square().flatten(1).sum(1) / 0.6 + 3 * math.log(2 * math.pi * 0.3)

    torch.testing.assert_close(-Gaussian(c=0.3).log_prob(mean, x), wanted)


def test_bernoulli_of_grey_is_the_mean_over_coin_tosses():
    grey, logits = torch.tensor([[0.2, -0.6]], dtype=torch.float64), torch.tensor([[0.7, -1.1]], dtype=torch.float64)
    mean = 0.0
    for toss in itertools.product([-1.0, 1.0], repeat=2):
        image = torch.tensor([toss], dtype=torch.float64)
        chance = (0.5 * (1 + image * grey)).prod()
        mean += chance * Bernoulli().log_prob(logits, image)

    torch.testing.assert_close(Bernoulli().log_prob(logits, grey), mean)


def test_bernoulli_stays_finite_at_certain_logits():
    logits = torch.tensor([[200.0, -200.0]])

    assert Bernoulli().log_prob(logits, torch.tensor([[1.0, -1.0]])).item() == 0
    assert Bernoulli().log_prob(logits, torch.tensor([[-1.0, 1.0]])).item() == -400


@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=lambda likelihood: type(likelihood).__name__)
def test_draws_average_to_the_mean(likelihood):
    n, params = 20_000, torch.tensor([[0.8, -0.3, 0.1]], dtype=torch.float64)
    draws = likelihood.sample(params.expand(n, -1), rng())

    assert ((draws.mean(0) - likelihood.mean(params)[0]).abs() < 4 * draws.std(0) / math.sqrt(n)).all()


def test_bernoulli_draws_black_or_white():
    draws = Bernoulli().sample(torch.randn(4, 1, 2, 3), rng())

    assert set(draws.unique().tolist()) == {-1.0, 1.0}


@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=lambda likelihood: type(likelihood).__name__)
def test_nats_of_two_images_side_by_side_add_up(likelihood):
    params, x = torch.randn(2, 5, 1, 4, 4, generator=rng(), dtype=torch.float64)
    twice = likelihood.log_prob(torch.cat([params, params], 3), torch.cat([x, x], 3))

    torch.testing.assert_close(twice, 2 * likelihood.log_prob(params, x))


@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=lambda likelihood: type(likelihood).__name__)
def test_a_generator_decides_the_draw(likelihood):
    params = torch.zeros(8, 1, 2, 3)

    assert torch.equal(likelihood.sample(params, rng(1)), likelihood.sample(params, rng(1)))
    assert not torch.equal(likelihood.sample(params, rng(1)), likelihood.sample(params, rng(2)))
