"""Adversarial variational Bayes against a linear-Gaussian model, where everything is known."""

from __future__ import annotations

import math

import pytest
import torch

from gen.errors import OptionError
from gen.types import Batch, Progress
from gen_adversarial.student import log_density, student_like
from gen_sdk.oracles.linear_gaussian import LinearGaussian

NOW, SIZE, WIDEN = Progress(0, 10), 2, 1.4


@pytest.fixture
def oracle():
    return LinearGaussian.example(SIZE, 1, 0.5, torch.Generator().manual_seed(3))


@pytest.fixture
def linear(make, affine, quadric, oracle):
    """linear(contrast=…) → an AVB whose q(z|x) is the oracle's posterior, wider by WIDEN, drawn through its noise."""

    def build(**options):
        model = make(
            "avb", (SIZE,), None, latent=1, noise=1, encoder=affine, decoder=affine, discriminator=quadric, **options
        ).double()
        zero = torch.zeros(1, SIZE, dtype=torch.float64)
        mean, covariance = oracle.posterior(zero)
        slope = oracle.posterior(torch.eye(SIZE, dtype=torch.float64))[0] - mean  # [N, 1]
        with torch.no_grad():
            model.encoder.map.weight.copy_(torch.cat([slope.T, WIDEN * covariance.sqrt()], 1))
            model.encoder.map.bias.copy_(mean[0])
            model.decoder.map.weight.copy_(oracle.weight)
            model.decoder.map.bias.copy_(oracle.bias)
        return model

    return build


def kl_of(oracle, x):
    """KL(q(z|x) || p(z)) [B] in closed form."""
    mean, covariance = oracle.posterior(x)
    variance = WIDEN**2 * covariance.squeeze()
    return 0.5 * (mean.squeeze(1).square() + variance - 1 - variance.log())


def ratio(oracle, x, z):
    """log q(z|x) - log p(z) [B] in closed form."""
    mean, covariance = oracle.posterior(x)
    variance = WIDEN**2 * covariance.squeeze()
    log_q = -0.5 * ((z - mean).square() / variance + variance.log()).squeeze(1)
    return log_q + 0.5 * z.square().squeeze(1)


def train(model, x):
    """The best discriminator on one large batch with fixed draws."""
    batch = Batch(x, None, torch.arange(len(x)))
    optimizer = torch.optim.LBFGS(model.discriminator.parameters(), max_iter=30, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        torch.manual_seed(5)
        total = model.adversary_loss(batch, NOW).total
        total.backward()
        return total

    optimizer.step(closure)


def test_best_discriminator_is_the_log_ratio_of_posterior_and_prior(linear, oracle):
    model = linear()
    train(model, oracle.sample(20_000, torch.Generator().manual_seed(1))[0])
    x = oracle.sample(2_000, torch.Generator().manual_seed(2))[0]
    with torch.no_grad():
        torch.manual_seed(6)
        z = model._drawn(x, None)
        found, wanted = model.discriminator((x, z)), ratio(oracle, x, z)

    assert (found - wanted).abs().mean() < 0.05 * wanted.abs().mean()
    assert model.bound(x)[1].mean().item() == pytest.approx(kl_of(oracle, x).mean().item(), rel=0.05)


def test_estimate_of_the_bound_lies_below_the_evidence_by_the_gap_of_the_posterior(linear, oracle):
    """With the best discriminator, E log p - ELBO = E KL(q || p(z|x)), here the KL of two Gaussians of one mean."""
    model = linear()
    x = oracle.sample(20_000, torch.Generator().manual_seed(1))[0]
    train(model, x)
    model.likelihood.log_prob = lambda params, x: (
        -0.5 * ((x - params).square() / oracle.c + math.log(2 * math.pi * oracle.c)).sum(1)
    )
    with torch.no_grad():
        gap = (oracle.log_prob(x) - model.log_prob(x)).mean().item()

    assert gap == pytest.approx(0.5 * (WIDEN**2 - 1) - math.log(WIDEN), abs=0.04)


def test_adaptive_contrast_leaves_the_discriminator_nothing_to_say_of_a_gaussian(linear, oracle):
    """r is q itself, so T* = 0 and KL = E[log r - log p]: right without any training."""
    model = linear(contrast=400)
    x = oracle.sample(400, torch.Generator().manual_seed(2))[0]
    with torch.no_grad():
        torch.manual_seed(0)
        kl = torch.stack([model.bound(x)[1] for _ in range(20)]).mean(0)

    assert kl.mean().item() == pytest.approx(kl_of(oracle, x).mean().item(), rel=0.03)
    assert (kl - kl_of(oracle, x)).abs().mean() < 0.25


@pytest.mark.parametrize("k", [2, 5, 16])
def test_moments_of_k_draws_make_the_kl_too_low_by_what_they_are_off(linear, oracle, k):
    """E KL(q || r) over moments of k draws of a Gaussian: mean and variance are independent, normal and chi-square."""
    free = torch.tensor(k - 1, dtype=torch.float64)
    chi = torch.digamma(free / 2) - (free / 2).log()  # E log of the variance of the draws, over the true one
    entropy = torch.distributions.StudentT(free).entropy()
    off = (entropy + 0.5 * (chi + math.log(1 + 1 / k) - math.log(2 * math.pi * math.e))).item()
    model = linear(contrast=k)
    x = oracle.sample(400, torch.Generator().manual_seed(2))[0]
    with torch.no_grad():
        torch.manual_seed(0)
        kl = torch.stack([model.bound(x)[1].mean() for _ in range(200)]).mean().item()

    assert kl_of(oracle, x).mean().item() - kl == pytest.approx(off, rel=0.1)


@pytest.mark.parametrize("k", [3, 8])
def test_what_the_discriminator_sees_of_a_gaussian_is_distributed_as_what_it_sees_beside(linear, oracle, k):
    model = linear(contrast=k)
    x = oracle.sample(20_000, torch.Generator().manual_seed(2))[0]
    with torch.no_grad():
        torch.manual_seed(0)
        shown = model._contrasted(x, model._drawn(x, None), None)[0].flatten()
        beside = student_like(shown, k - 1)

    at = torch.linspace(-3, 3, 13, dtype=torch.float64)[:, None]
    gap = (shown <= at).double().mean(1) - (beside <= at).double().mean(1)
    assert gap.abs().max() < 4 / math.sqrt(2 * len(x))  # four standard errors where they are largest


def test_a_discriminator_that_knows_nothing_loses_log_4(linear, oracle):
    x = oracle.sample(50, torch.Generator().manual_seed(2))[0]
    losses = linear().adversary_loss(Batch(x, None, torch.arange(50)), NOW)

    assert losses.total.item() == pytest.approx(math.log(4))


def test_primal_loss_is_minus_the_estimate_of_the_bound(make, batch):
    model = make("avb")
    torch.manual_seed(3)
    losses = model.primal_loss(batch, NOW)
    torch.manual_seed(3)
    estimate = model.log_prob(batch.x, batch.cond).mean()

    torch.testing.assert_close(losses.total, -estimate)
    torch.testing.assert_close(losses.terms["elbo"], estimate)
    torch.testing.assert_close(losses.total, losses.terms["distortion"] + losses.terms["kl"])


def test_noise_reaches_the_code_and_the_mean_code_is_fixed(make, batch):
    model = make("avb")
    one, two = model._drawn(batch.x, None), model._drawn(batch.x, None)

    assert (one != two).all()
    assert torch.equal(model.encode(batch.x), model.encode(batch.x))
    torch.testing.assert_close(model.encode(batch.x)[2:3], model.encode(batch.x[2:3]))


def test_mean_code_of_a_linear_encoder_is_exact(linear, oracle):
    x = oracle.sample(20, torch.Generator().manual_seed(2))[0]

    torch.testing.assert_close(linear().encode(x), oracle.posterior(x)[0])


@pytest.mark.parametrize("freedom", [1, 4, 15])
def test_the_density_of_students_t_is_torchs(freedom):
    u = torch.linspace(-50, 50, 101, dtype=torch.float64)

    expected = torch.distributions.StudentT(torch.tensor(float(freedom), dtype=torch.float64)).log_prob(u)

    torch.testing.assert_close(log_density(u, freedom), expected)


def test_the_spread_of_one_draw_is_refused(make):
    with pytest.raises(OptionError, match="contrast: 1 draw has no spread: give it 2 or more"):
        make("avb", contrast=1)


def test_a_posterior_of_less_noise_than_code_is_refused(make):
    """The encoder maps few numbers to many: a surface, which has no density."""
    with pytest.raises(OptionError, match=r"noise: 1 is less than latent: 2: .*; give noise: 2 or more"):
        make("avb", latent=2, noise=1)
