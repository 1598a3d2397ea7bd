"""The evidence lower bound on a linear-Gaussian model, whose evidence is known."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal, kl_divergence

from gen.component import component
from gen.interfaces import Prior
from gen.types import Batch, Progress
from gen_vae.posteriors.gaussian import GaussianPosterior
from gen_vae.priors.normal import Normal

DRAWS = 4000


@component
class UnknownNormal(Prior):
    """The standard normal, to a posterior that has no closed form with it."""

    def sample(self, n, rng=None):
        return torch.randn(n, *self.shape, generator=rng)

    def log_prob(self, z):
        return -0.5 * (z.square() + math.log(2 * math.pi)).sum(1)


def one_point(oracle):
    """One x of the oracle, DRAWS times [DRAWS, N]: every row is a draw of its own."""
    x, _ = oracle.sample(1, torch.Generator().manual_seed(1))
    return x.expand(DRAWS, -1)


def assert_mean(values, expected):
    """Within four standard errors."""
    error = values.std() / math.sqrt(len(values))
    assert abs(values.mean() - expected) < 4 * error + 1e-12


def monte_carlo_elbo(model, x):
    """log p(x|z) + log p(z) - log q(z|x) at one draw per row."""
    params = model.encoder(x)
    z = model.posterior.rsample(params)
    return (
        model.likelihood.log_prob(model.decoder(z), x) + model.prior.log_prob(z) - model.posterior.log_prob(params, z)
    )


def gap(oracle, shift, widen):
    """KL(q(z|x) || p(z|x)) of an encoder that is off by shift and widen."""
    mean, covariance = oracle.posterior(torch.zeros(1, 4, dtype=torch.float64))
    true = MultivariateNormal(mean[0], covariance)
    return kl_divergence(MultivariateNormal(mean[0] + shift, covariance * widen**2), true)


@pytest.fixture(autouse=True)
def seeded():
    """A seed, and one thread: more of them only wait for each other on tensors as small as these."""
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_monte_carlo_elbo_at_the_true_posterior_is_the_evidence_at_every_draw(oracle, linear_vae):
    x, _ = oracle.sample(100, torch.Generator().manual_seed(1))

    torch.testing.assert_close(monte_carlo_elbo(linear_vae(), x), oracle.log_prob(x), rtol=1e-9, atol=1e-9)


def test_elbo_at_the_true_posterior_is_the_evidence(oracle, linear_vae):
    x = one_point(oracle)

    assert_mean(linear_vae().log_prob(x), oracle.log_prob(x[:1]).item())


@pytest.mark.parametrize(("shift", "widen"), [(0.5, 1.0), (0.0, 1.7), (-0.3, 0.6)])
def test_elbo_misses_the_evidence_by_the_divergence_of_the_posteriors(oracle, linear_vae, shift, widen):
    x = one_point(oracle)

    assert gap(oracle, shift, widen) > 0
    assert_mean(linear_vae(shift, widen).log_prob(x), oracle.log_prob(x[:1]).item() - gap(oracle, shift, widen).item())


@pytest.mark.parametrize(("shift", "widen"), [(0.0, 1.0), (0.5, 1.5)])
def test_both_forms_of_the_elbo_agree(oracle, linear_vae, shift, widen):
    model, x = linear_vae(shift, widen), one_point(oracle)

    assert_mean(model.log_prob(x) - monte_carlo_elbo(model, x), 0.0)


def test_kl_to_an_unknown_prior_estimates_the_closed_form(oracle, linear_vae):
    model, x = linear_vae(0.5, 1.5), one_point(oracle)
    params = model.encoder(x)
    z = model.posterior.rsample(params)
    closed = model.posterior.kl(params, model.prior, z)

    assert_mean(model.posterior.kl(params, UnknownNormal(shape=(2,)), z), closed[0].item())


def test_kl_is_the_closed_form_of_torch_and_never_negative():
    params, z = torch.randn(200, 6, dtype=torch.float64), torch.zeros(200, 3, dtype=torch.float64)
    mu, log_var = params.chunk(2, dim=1)
    wanted = kl_divergence(
        torch.distributions.Normal(mu, (0.5 * log_var).exp()), torch.distributions.Normal(0.0, 1.0)
    ).sum(1)
    kl = GaussianPosterior().kl(params, Normal(shape=(3,)), z)

    torch.testing.assert_close(kl, wanted)
    assert (kl >= 0).all()
    assert GaussianPosterior().kl(torch.zeros(1, 6), Normal(shape=(3,)), z[:1]).item() == 0


def test_gradient_of_a_draw_is_the_analytic_gradient_of_its_expectation():
    # E z^2 = mu^2 + s^2, hence 2 mu by mu and s^2 by log s^2.
    mu, log_var = 0.7, -0.4
    params = torch.tensor([[mu, log_var]], dtype=torch.float64).repeat(DRAWS, 1).requires_grad_()
    (gradients,) = torch.autograd.grad(GaussianPosterior().rsample(params).square().sum(), params)

    assert_mean(gradients[:, 0], 2 * mu)
    assert_mean(gradients[:, 1], math.exp(log_var))


def test_posterior_density_integrates_to_one_around_its_mean():
    params = torch.tensor([[0.3, -1.2]], dtype=torch.float64)
    z = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    density = GaussianPosterior().log_prob(params.expand(4001, 2), z[:, None]).exp()

    assert torch.trapezoid(density, z).item() == pytest.approx(1, abs=1e-9)
    assert torch.trapezoid(density * z, z).item() == pytest.approx(GaussianPosterior().mean(params).item(), abs=1e-9)


def test_posterior_of_maps_keeps_their_sides():
    posterior = GaussianPosterior()
    params = torch.randn(5, *posterior.param_shape((3, 4, 4)))

    assert posterior.rsample(params).shape == posterior.mean(params).shape == (5, 3, 4, 4)
    assert posterior.log_prob(params, posterior.mean(params)).shape == (5,)


def test_training_a_linear_vae_reaches_the_evidence(oracle, linear_vae):
    model = linear_vae(0.8, 3.0)
    with torch.no_grad():
        model.decoder.map.weight.copy_(0.3 * torch.randn(4, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    x, _ = oracle.sample(500, torch.Generator().manual_seed(2))
    for _ in range(200):
        optimizer.zero_grad()
        model.loss(Batch(x, None, torch.arange(500)), Progress(0, 1)).total.backward()
        optimizer.step()

    assert model.log_prob(x).mean() > oracle.log_prob(x).mean() - 0.1
