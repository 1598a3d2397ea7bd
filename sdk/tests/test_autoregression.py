"""AR(K) processes against Toeplitz Gaussians, the conditional Gaussian and textbook formulas."""

import pytest
import torch

from gen_sdk.oracles.autoregression import Autoregression
from gen_sdk.oracles.linear_gaussian import gaussian_log_prob


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(params=[1, 2, 5])
def process(request) -> Autoregression:
    return Autoregression.example(request.param, rng(request.param))


def test_autocovariance_of_order_one_is_geometric():
    process = Autoregression(torch.tensor([0.8], dtype=torch.float64), c=0.3)
    wanted = 0.3 / (1 - 0.64) * 0.8 ** torch.arange(8, dtype=torch.float64)

    torch.testing.assert_close(process.autocovariance(7), wanted, rtol=1e-12, atol=0)


def test_autocovariance_obeys_yule_and_walker_at_every_lag(process):
    gamma = process.autocovariance(12)
    for h in range(13):
        past = sum(a * gamma[abs(h - k)] for k, a in enumerate(process.coefficients, start=1))

        assert (gamma[h] - past).item() == pytest.approx(process.c * (h == 0), abs=1e-12)


def test_autocovariance_is_the_sum_of_squared_responses(process):
    responses = process.responses(2000)  # the tail of a stationary process vanishes

    torch.testing.assert_close(process.c * responses.square().sum(), process.autocovariance(0)[0], rtol=1e-9, atol=0)


@pytest.mark.parametrize("length", [1, 3, 20])
def test_likelihood_is_that_of_the_toeplitz_gaussian(process, length):
    x = process.sample(7, length, rng(1))
    joint = gaussian_log_prob(x - process.mean, process.covariance(length))

    torch.testing.assert_close(process.log_prob(x), joint, rtol=1e-10, atol=1e-10)


def test_forecast_is_the_conditional_gaussian(process):
    known, steps = 9, 4
    x = process.sample(3, known, rng(2))
    covariance = process.covariance(known + steps)
    gain = torch.linalg.solve(covariance[:known, :known], covariance[:known, known:]).T  # [S, T]
    mean, variance = process.forecast(x, steps)
    wanted = covariance[known:, known:] - gain @ covariance[:known, known:]

    torch.testing.assert_close(mean, process.mean + (x - process.mean) @ gain.T, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(variance, wanted.diagonal(), rtol=1e-9, atol=1e-9)


def test_a_far_forecast_is_the_process_itself(process):
    mean, variance = process.forecast(process.sample(2, 6, rng(3)), 500)

    torch.testing.assert_close(mean[:, -1], torch.full((2,), process.mean, dtype=torch.float64))
    torch.testing.assert_close(variance[-1], process.autocovariance(0)[0])


def test_samples_have_the_covariance_of_the_process_from_their_first_value_on(process):
    x = process.sample(20_000, 8, rng(4))

    assert x.dtype == torch.float64
    torch.testing.assert_close(x.T.cov(), process.covariance(8), rtol=0.05, atol=0.05)
    assert ((x.mean(0) - process.mean).abs() < 4 * (process.autocovariance(0)[0] / len(x)).sqrt()).all()


def test_the_same_seed_draws_the_same_series(process):
    assert torch.equal(process.sample(2, 5, rng(5)), process.sample(2, 5, rng(5)))


def test_what_is_no_stationary_process_is_refused():
    a = torch.tensor([0.6, 0.5], dtype=torch.float64)

    with pytest.raises(ValueError, match=r"not stationary: a root of the process has size 1\.068"):
        Autoregression(a, c=1.0)
    with pytest.raises(ValueError, match="c is the variance of the noise: above 0, got 0"):
        Autoregression(a / 2, c=0.0)
    with pytest.raises(ValueError, match="a forecast of order 2 needs as many values, got 1"):
        Autoregression(a / 2, c=1.0).forecast(torch.zeros(3, 1, dtype=torch.float64), 2)
