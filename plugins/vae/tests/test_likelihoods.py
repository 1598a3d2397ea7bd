import itertools
import math
import operator

import pytest
import torch

from gen_sdk.oracles.ising import Ising
from gen_vae.likelihoods.bernoulli import Bernoulli
from gen_vae.likelihoods.categorical import Categorical
from gen_vae.likelihoods.discretized_logistic import DiscretizedLogistic
from gen_vae.likelihoods.gaussian import Gaussian
from gen_vae.likelihoods.levels import index_of, value_of

LIKELIHOODS = [
    *(Bernoulli(), Gaussian(c=0.3), Gaussian(c=0.3, variance="learned"), Gaussian(c=0.3, variance="per-pixel")),
    *(Categorical(levels=5), DiscretizedLogistic(levels=5)),
]
LEVELS = [Categorical(levels=5), DiscretizedLogistic(levels=5), Categorical(levels=256), DiscretizedLogistic()]
named = operator.attrgetter("__class__.__name__")


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_bernoulli_is_the_ising_model_without_couplings():
    field = torch.randn(2, 3, generator=rng(), dtype=torch.float64)
    ising = Ising(field, torch.zeros(2, 2, dtype=torch.float64), torch.zeros(1, 3, dtype=torch.float64))
    log_prob = Bernoulli().log_prob(2 * field.expand(64, 1, 2, 3), ising.images)

    torch.testing.assert_close(log_prob.exp(), ising.probabilities, rtol=1e-12, atol=0)


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


def params_for(likelihood, x_shape, batch=1, seed=0):
    return torch.randn(batch, *likelihood.param_shape(x_shape), generator=rng(seed), dtype=torch.float64)


@pytest.mark.parametrize("likelihood", LEVELS, ids=named)
def test_chances_of_all_levels_sum_to_one(likelihood):
    x = value_of(torch.arange(likelihood.levels), likelihood.levels, torch.float64)[:, None]  # [V, 1]
    for seed in range(3):
        params = 3 * params_for(likelihood, (1,), seed=seed)
        total = likelihood.log_prob(params.expand(len(x), -1), x).exp().sum()
        assert total.item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("likelihood", LEVELS, ids=named)
def test_draws_of_levels_come_as_often_as_their_chances(likelihood):
    n, params = 40_000, params_for(likelihood, (1,))
    x = value_of(torch.arange(likelihood.levels), likelihood.levels, torch.float64)[:, None]
    chances = likelihood.log_prob(params.expand(len(x), -1), x).exp()
    draws = index_of(likelihood.sample(params.expand(n, -1), rng()), likelihood.levels)
    shares = torch.bincount(draws.flatten(), minlength=likelihood.levels) / n

    assert ((shares - chances).abs() < 5 * (chances / n).sqrt() + 1e-3).all()


def test_discretized_logistic_is_the_difference_of_logistic_functions():
    params, x = torch.tensor([[0.1, -1.3 + 1.0]], dtype=torch.float64), torch.tensor([[0.2]], dtype=torch.float64)
    x = value_of(index_of(x, 17), 17, torch.float64)
    scale, half = math.exp(-1.3), 1 / 16
    mass = torch.sigmoid((x + half - 0.1) / scale) - torch.sigmoid((x - half - 0.1) / scale)

    torch.testing.assert_close(DiscretizedLogistic(levels=17).log_prob(params, x), mass.log()[:, 0])


def test_discretized_logistic_far_from_the_data_stays_finite_with_its_gradient():
    params = torch.tensor([[50.0, -30.0], [-50.0, 30.0], [0.0, -30.0]], requires_grad=True)
    nats = DiscretizedLogistic().log_prob(params, torch.tensor([[-1.0], [1.0], [0.3]]))
    nats.sum().backward()

    assert nats.isfinite().all()
    assert params.grad.isfinite().all()


@pytest.mark.parametrize("levels", [2, 17, 256])
def test_levels_and_their_numbers_are_inverse(levels):
    index = torch.arange(levels)

    assert torch.equal(index_of(value_of(index, levels), levels), index)
    assert value_of(index, levels)[[0, -1]].tolist() == [-1, 1]


def test_learned_variance_is_best_at_the_mean_squared_error():
    likelihood, x = Gaussian(variance="learned"), 0.2 * torch.randn(50, 4, generator=rng())
    with torch.no_grad():
        likelihood.log_var.copy_(x.square().mean().log())
    (gradient,) = torch.autograd.grad(likelihood.log_prob(torch.zeros(50, 4), x).sum(), likelihood.log_var)

    assert gradient.item() == pytest.approx(0, abs=0.1)
    best = likelihood.log_prob(torch.zeros(50, 4), x).sum()
    for c in (0.02, 0.08):
        assert Gaussian(c=c).log_prob(torch.zeros(50, 4), x).sum() < best


def test_learned_variances_start_at_c_and_stay_above_a_floor():
    zeros, x = torch.zeros(2, 3), torch.randn(2, 3, generator=rng())
    fixed = Gaussian(c=0.3).log_prob(zeros, x)

    torch.testing.assert_close(Gaussian(c=0.3, variance="learned").log_prob(zeros, x), fixed, rtol=1e-4, atol=1e-4)
    pixel = Gaussian(c=0.3, variance="per-pixel")
    torch.testing.assert_close(pixel.log_prob(torch.zeros(2, 6), x), fixed, rtol=1e-4, atol=1e-4)
    copied = torch.cat([x, torch.full((2, 3), -1e4)], 1)
    assert (pixel.log_prob(copied, x) < 3 * (math.log(512) + 1)).all()


@pytest.mark.parametrize("likelihood", LIKELIHOODS[:-1], ids=named)  # the last one's is right to a part of a level
def test_draws_average_to_the_mean(likelihood):
    n, params = 20_000, 0.5 * params_for(likelihood, (3,))
    draws = likelihood.sample(params.expand(n, *params.shape[1:]), rng())
    error = 4 * draws.std(0) / math.sqrt(n)

    assert ((draws.mean(0) - likelihood.mean(params)[0]).abs() < error).all()


def test_discretized_logistic_mean_is_that_of_its_levels_at_the_ends_of_the_range_too():
    likelihood, values = DiscretizedLogistic(), value_of(torch.arange(256), 256, torch.float64)
    for location, log_scale in ((0.0, 0.0), (0.95, 0.5), (-3.0, 1.0), (0.3, -4.0)):
        params = torch.tensor([[location, log_scale]], dtype=torch.float64)
        masses = likelihood.log_prob(params.expand(256, 2), values[:, None]).exp()

        assert likelihood.mean(params).item() == pytest.approx((masses * values).sum().item(), abs=1e-4)


def test_bernoulli_draws_black_or_white():
    draws = Bernoulli().sample(torch.randn(4, 1, 2, 3), rng())

    assert set(draws.unique().tolist()) == {-1.0, 1.0}


@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=named)
def test_nats_of_two_images_side_by_side_add_up(likelihood):
    params, x = params_for(likelihood, (1, 4, 4), 5), torch.rand(5, 1, 4, 4, generator=rng(), dtype=torch.float64)
    twice = likelihood.log_prob(torch.cat([params, params], 3), torch.cat([x, x], 3))

    torch.testing.assert_close(twice, 2 * likelihood.log_prob(params, x))


@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=named)
def test_a_generator_decides_the_draw(likelihood):
    params = torch.zeros(8, *likelihood.param_shape((1, 2, 3)))

    assert torch.equal(likelihood.sample(params, rng(1)), likelihood.sample(params, rng(1)))
    assert not torch.equal(likelihood.sample(params, rng(1)), likelihood.sample(params, rng(2)))
    assert likelihood.sample(params, rng(1)).shape == likelihood.mean(params).shape == (8, 1, 2, 3)
