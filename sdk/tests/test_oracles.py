import math

import pytest
import torch
from torch import Tensor

from gen_sdk.oracles.gaussian_mixture import GaussianMixture
from gen_sdk.oracles.linear_gaussian import LinearGaussian


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def plane(reach: float, points: int) -> tuple[Tensor, float]:
    """A square grid in the plane [points^2, 2] and the area of a cell."""
    axis = torch.linspace(-reach, reach, points, dtype=torch.float64)
    return torch.cartesian_prod(axis, axis), (axis[1] - axis[0]).item() ** 2


def log_normal(x: Tensor, mean: Tensor, variance: float) -> Tensor:
    return -0.5 * ((x - mean).square() / variance + math.log(2 * math.pi * variance)).sum(-1)


@pytest.fixture
def mixture() -> GaussianMixture:
    return GaussianMixture.example(2, 3, rng())


@pytest.fixture
def linear() -> LinearGaussian:
    return LinearGaussian.example(2, 1, 0.3, rng())


def test_density_of_a_mixture_integrates_to_one(mixture):
    points, area = plane(12, 600)

    assert mixture.log_prob(points).exp().sum().item() * area == pytest.approx(1, abs=1e-6)


def test_score_of_a_mixture_is_the_gradient_of_its_log_density(mixture):
    x = (3 * torch.randn(50, 2, generator=rng(1), dtype=torch.float64)).requires_grad_()
    (gradient,) = torch.autograd.grad(mixture.log_prob(x).sum(), x)

    torch.testing.assert_close(mixture.score(x.detach()), gradient, rtol=1e-9, atol=1e-9)


def test_noising_a_mixture_convolves_its_density():
    mixture, alpha, sigma = GaussianMixture.example(1, 2, rng(2)), 0.6, 0.8
    x = torch.linspace(-15, 15, 4001, dtype=torch.float64)
    at = torch.tensor([-2.0, 0.1, 1.5], dtype=torch.float64)
    kernel = log_normal(at[:, None, None], alpha * x[None, :, None], sigma**2).exp()  # [3, 4001]
    convolved = torch.trapezoid(mixture.log_prob(x[:, None]).exp() * kernel, x, dim=1)

    torch.testing.assert_close(mixture.noised(alpha, sigma).log_prob(at[:, None]).exp(), convolved, rtol=1e-8, atol=0)


def test_denoiser_is_the_posterior_mean_by_quadrature():
    mixture, alpha, sigma = GaussianMixture.example(1, 2, rng(2)), 0.6, 0.8
    x = torch.linspace(-15, 15, 4001, dtype=torch.float64)
    noisy = torch.tensor([-2.0, 0.1, 1.5], dtype=torch.float64)
    joint = mixture.log_prob(x[:, None]).exp() * log_normal(noisy[:, None, None], alpha * x[None, :, None], 0.64).exp()
    mean = torch.trapezoid(joint * x, x, dim=1) / torch.trapezoid(joint, x, dim=1)

    torch.testing.assert_close(mixture.denoise(noisy[:, None], alpha, sigma).squeeze(1), mean, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(("alpha", "sigma"), [(1.0, 0.5), (0.8, 0.6), (0.1, 2.0)])
def test_denoiser_and_score_agree_with_tweedie(mixture, alpha, sigma):
    noisy = 2 * torch.randn(20, 2, generator=rng(3), dtype=torch.float64)
    tweedie = (noisy + sigma**2 * mixture.noised(alpha, sigma).score(noisy)) / alpha

    torch.testing.assert_close(mixture.denoise(noisy, alpha, sigma), tweedie, rtol=1e-9, atol=1e-9)


def test_denoiser_of_pure_noise_is_the_mean_of_the_data(mixture):
    noise = torch.randn(5, 2, generator=rng(4), dtype=torch.float64)
    mean = mixture.weights @ mixture.means

    torch.testing.assert_close(mixture.denoise(noise, 0.0, 1.0), mean.expand(5, 2))


def test_samples_of_a_mixture_have_its_moments(mixture):
    n = 20_000
    x = mixture.sample(n, rng(5))
    mean = mixture.weights @ mixture.means
    second = mixture.covariances + mixture.means[:, :, None] * mixture.means[:, None, :]
    covariance = torch.einsum("k,kij->ij", mixture.weights, second) - torch.outer(mean, mean)

    assert ((x.mean(0) - mean).abs() < 4 * (covariance.diagonal() / n).sqrt()).all()
    torch.testing.assert_close(x.T.cov(), covariance, rtol=0.05, atol=0.05)


def test_evidence_integrates_to_one(linear):
    points, area = plane(9, 600)

    assert linear.log_prob(points + linear.bias).exp().sum().item() * area == pytest.approx(1, abs=1e-6)


def test_evidence_and_posterior_are_bayes_rule_by_quadrature(linear):
    x, _ = linear.sample(4, rng(6))
    z = torch.linspace(-9, 9, 4001, dtype=torch.float64)
    likelihood = log_normal(x[:, None], z[None, :, None] * linear.weight.T + linear.bias, linear.c)  # [4, 4001]
    joint = (likelihood + log_normal(z[:, None], torch.zeros(1), 1.0)).exp()
    evidence = torch.trapezoid(joint, z, dim=1)
    mean = torch.trapezoid(joint * z, z, dim=1) / evidence
    variance = torch.trapezoid(joint * z**2, z, dim=1) / evidence - mean**2
    exact_mean, exact_covariance = linear.posterior(x)

    torch.testing.assert_close(linear.log_prob(x), evidence.log(), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(exact_mean.squeeze(1), mean, rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(exact_covariance.squeeze().expand(4), variance, rtol=1e-8, atol=1e-8)


def test_example_has_a_posterior_with_diagonal_covariance():
    _, covariance = LinearGaussian.example(6, 3, 0.5, rng()).posterior(torch.zeros(1, 6, dtype=torch.float64))

    torch.testing.assert_close(covariance, covariance.diagonal().diag(), rtol=0, atol=1e-12)


def test_samples_of_the_linear_model_have_the_covariance_of_the_evidence():
    model = LinearGaussian.example(3, 2, 0.5, rng())
    x, z = model.sample(20_000, rng(7))
    covariance = model.weight @ model.weight.T + model.c * torch.eye(3, dtype=torch.float64)

    torch.testing.assert_close(x.T.cov(), covariance, rtol=0.05, atol=0.05)
    torch.testing.assert_close(z.T.cov(), torch.eye(2, dtype=torch.float64), rtol=0.05, atol=0.05)
