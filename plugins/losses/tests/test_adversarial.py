"""Adversarial losses against the optimal discriminator of two densities on the line."""

import math

import pytest
import torch
from torch.nn import functional as F

from gen_losses.adversarial import Hinge, LeastSquares, Minimax, NonSaturating, Relativistic, Wasserstein
from gen_sdk.oracles.density_pair import DensityPair

LOSSES = [Minimax, NonSaturating, LeastSquares, Hinge, Wasserstein, Relativistic]


@pytest.fixture
def pair():
    return DensityPair.gaussians(0.0, 1.0, 0.7, 1.3)


def expected(loss, pair, logits):
    """The discriminator's loss as an integral: each grid point's own loss, weighted by p or by q."""
    sure = torch.tensor([1e3], dtype=torch.float64)  # a logit at which the other half costs nothing
    right, wrong = (sure / sure, 0 * sure) if isinstance(loss, LeastSquares) else (sure, -sure)
    real = torch.stack([loss.discriminator(one[None], wrong) for one in logits])
    fake = torch.stack([loss.discriminator(right, one[None]) for one in logits])
    e_p, _ = pair.expectations(real)
    _, e_q = pair.expectations(fake)
    return e_p + e_q


def coarse(pair, every=40):
    """The pair with a coarser grid, for loops over its points."""
    grid = pair.grid[::every]
    pair.__dict__["grid"] = grid
    return pair


@pytest.mark.parametrize("loss", [Minimax(), NonSaturating()])
def test_value_is_minus_log_4_where_the_densities_agree(loss):
    zero = torch.zeros(5)  # the best discriminator says 1/2 everywhere

    assert -loss.discriminator(zero, zero).item() == pytest.approx(-math.log(4))
    assert zero.sigmoid().eq(0.5).all()


@pytest.mark.parametrize("loss", [Minimax(), NonSaturating()])
def test_logistic_value_at_the_optimum_is_the_jensen_shannon_divergence(loss, pair):
    coarse(pair)
    found = expected(loss, pair, pair.logits(pair.grid))

    assert found.item() == pytest.approx(2 * math.log(2) - 2 * pair.js(), abs=1e-5)


def test_least_squares_value_at_the_optimum_is_the_triangular_divergence(pair):
    coarse(pair)
    found = expected(LeastSquares(), pair, pair.discriminator(pair.grid))

    assert found.item() == pytest.approx(0.5 - 0.25 * pair.triangular(), abs=1e-5)


def test_hinge_value_at_the_optimum_is_the_total_variation(pair):
    coarse(pair)
    found = expected(Hinge(), pair, pair.logits(pair.grid).sign())

    assert found.item() == pytest.approx(2 - 2 * pair.total_variation(), abs=1e-3)


@pytest.mark.parametrize("loss", [Minimax(), NonSaturating(), LeastSquares()])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_best_discriminator_is_p_over_p_plus_q(loss, p):
    """At one point with densities p and q = 1 - p: 100 samples, p of them real."""
    best = torch.tensor(p if isinstance(loss, LeastSquares) else math.log(p / (1 - p)), dtype=torch.float64)
    zero = torch.zeros(1, dtype=torch.float64)

    def value(logit):
        return loss.discriminator(logit[None], zero) * p + loss.discriminator(zero, logit[None]) * (1 - p)

    slope, curve = torch.func.grad(value)(best), torch.func.hessian(value)(best)

    assert slope.item() == pytest.approx(0, abs=1e-12)
    assert curve.item() > 0


DIVERGENCES = {
    Minimax: lambda pair: 2 * pair.js(),
    NonSaturating: lambda pair: pair.swapped().kl() - 2 * pair.js(),
}


@pytest.mark.parametrize("loss", DIVERGENCES)
def test_generators_gradient_at_the_optimum_is_that_of_the_divergence(loss):
    """q = N(m, 1.3^2): d/dm of the generator's loss, the discriminator held, against a difference of the divergence."""
    at, h = 0.7, 1e-3
    pair = DensityPair.gaussians(0.0, 1.0, at, 1.3)
    noise = pair.grid - at  # y = m + noise, drawn from q by the weights of the grid
    mean = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    logits = pair.logits(noise + mean)
    terms = {Minimax: -F.softplus(logits), NonSaturating: F.softplus(-logits)}[loss]  # the loss of each point
    whole = loss().generator(logits[:7])
    _, value = pair.expectations(terms)
    value.backward()
    above, below = (DIVERGENCES[loss](DensityPair.gaussians(0.0, 1.0, at + s, 1.3)) for s in (h, -h))

    assert whole.item() == pytest.approx(terms[:7].mean().item())
    assert mean.grad.item() == pytest.approx((above - below) / (2 * h), rel=1e-4)


def test_generators_of_least_squares_and_hinge_push_towards_the_data(pair):
    y = torch.tensor([[2.0]], dtype=torch.float64, requires_grad=True)  # right of the data's mean
    for loss, logits in ((LeastSquares(), pair.discriminator(y)), (Hinge(), pair.logits(y))):
        (slope,) = torch.autograd.grad(loss.generator(logits), y)

        assert slope.item() > 0


def test_wasserstein_with_the_best_critic_is_the_distance_of_shifted_densities():
    x = torch.randn(64, dtype=torch.float64)
    critic = lambda x: -x  # noqa: E731  # slope 1, the optimum for a shift to the right

    assert -Wasserstein().discriminator(critic(x), critic(x + 0.4)).item() == pytest.approx(0.4)


@pytest.mark.parametrize("loss", [Minimax(), NonSaturating(), Hinge(), Wasserstein(), Relativistic()])
def test_the_sides_oppose_each_other_in_every_generated_sample(loss):
    real, fake = torch.randn(6), (0.5 * torch.randn(6)).requires_grad_()
    (ours,) = torch.autograd.grad(loss.discriminator(real, fake), fake)
    (theirs,) = torch.autograd.grad(loss.generator(fake, real), fake)

    assert (ours >= 0).all()
    assert ours.any()
    assert (theirs < 0).all()


def test_minimax_is_a_zero_sum_game_for_the_generator():
    real, fake = torch.randn(6), torch.randn(6, requires_grad=True)
    (ours,) = torch.autograd.grad(Minimax().discriminator(real, fake), fake)
    (theirs,) = torch.autograd.grad(Minimax().generator(fake), fake)

    torch.testing.assert_close(theirs, -ours)


def test_relativistic_loss_only_knows_differences():
    real, fake, loss = torch.randn(6), torch.randn(6), Relativistic()

    torch.testing.assert_close(loss.discriminator(real + 3, fake + 3), loss.discriminator(real, fake))
    torch.testing.assert_close(loss.generator(fake, real), loss.discriminator(fake, real))
    assert loss.discriminator(real, real).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("loss", LOSSES)
def test_losses_are_finite_at_extreme_logits_and_wide(loss):
    real, fake = torch.tensor([300.0, -300.0]).bfloat16(), torch.tensor([-300.0, 300.0]).bfloat16()
    values = [loss().discriminator(real, fake), loss().generator(fake, real)]

    assert all(value.isfinite() and value.dtype == torch.float32 for value in values)


@pytest.mark.parametrize("loss", LOSSES)
def test_patch_logits_count_like_so_many_samples(loss):
    real, fake = torch.randn(4, 1, 3, 3), torch.randn(4, 1, 3, 3)

    torch.testing.assert_close(loss().discriminator(real, fake), loss().discriminator(real.flatten(), fake.flatten()))


@pytest.mark.parametrize("loss", LOSSES)
def test_only_paired_losses_need_real_logits_for_the_generator(loss):
    if not loss.paired:
        assert loss().generator(torch.zeros(3)).isfinite()
    assert loss.paired == (loss is Relativistic)
