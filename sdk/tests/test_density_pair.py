"""Pairs of densities against closed forms of Gaussians, inequalities, and what a discriminator can reach."""

import math

import pytest
import torch
from torch.nn.functional import relu, softplus

from gen_sdk.oracles.density_pair import DensityPair


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(params=[0, 1, 2])
def pair(request) -> DensityPair:
    return DensityPair.example(rng(request.param))


@pytest.mark.parametrize(("m", "s", "n", "t"), [(0.0, 1.0, 1.5, 1.0), (0.3, 0.5, -1.0, 2.0), (0.0, 1.0, 0.5, 0.9)])
def test_divergences_of_gaussians_are_their_closed_forms(m, s, n, t):
    pair = DensityPair.gaussians(m, s, n, t)
    kl = math.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - 0.5
    overlap = math.sqrt(2 * s * t / (s**2 + t**2)) * math.exp(-((m - n) ** 2) / (4 * (s**2 + t**2)))
    gap = 2 * t**2 - s**2
    pearson = t**2 / (s * math.sqrt(gap)) * math.exp((m - n) ** 2 / gap) - 1

    assert pair.kl() == pytest.approx(kl, rel=1e-9)
    assert pair.hellinger() == pytest.approx(1 - overlap, rel=1e-9)
    assert pair.pearson() == pytest.approx(pearson, rel=1e-7)


def test_distances_of_shifted_gaussians_are_their_closed_forms():
    pair = DensityPair.gaussians(0.0, 1.0, 1.5, 1.0)

    assert pair.wasserstein() == pytest.approx(1.5, rel=1e-7)
    assert pair.total_variation() == pytest.approx(math.erf(1.5 / (2 * math.sqrt(2))), rel=1e-6)


def test_widening_a_gaussian_costs_its_mean_absolute_value():
    assert DensityPair.gaussians(0.4, 1.0, 0.4, 3.0).wasserstein() == pytest.approx(
        2 * math.sqrt(2 / math.pi), rel=1e-6
    )


def test_pearsons_chi_squared_is_infinite_where_the_tails_are_too_heavy():
    assert DensityPair.gaussians(0.0, 1.5, 0.0, 1.0).pearson() == math.inf


def test_equal_densities_have_no_distance(pair):
    same = DensityPair(pair.p, pair.p)
    every = [same.kl(), same.js(), same.pearson(), same.triangular(), same.hellinger(), same.total_variation()]

    assert every == pytest.approx([0] * 6, abs=1e-9)
    assert same.wasserstein() == 0
    assert (same.discriminator(same.grid) == 0.5).all()


def test_divergences_keep_their_inequalities(pair):
    # Le Cam, Pinsker, Lin 1991: JS is bounded by total variation, by its square, and by the triangular divergence.
    tv, js, triangular = pair.total_variation(), pair.js(), pair.triangular()

    assert 0 < pair.hellinger() <= tv <= math.sqrt(pair.kl() / 2)
    assert tv**2 / 2 <= js <= tv * math.log(2)
    assert triangular / 4 <= js <= triangular * math.log(2) / 2
    assert pair.js() == pytest.approx(pair.swapped().js(), rel=1e-12)


def test_the_optimal_discriminator_is_p_over_p_plus_q():
    pair = DensityPair.example(rng(3), size=2)
    x, _ = pair.sample(50, rng(4))
    p, q = pair.p.log_prob(x).exp(), pair.q.log_prob(x).exp()

    torch.testing.assert_close(pair.discriminator(x), p / (p + q), rtol=1e-10, atol=0)
    torch.testing.assert_close(pair.logits(x), (p / q).log(), rtol=1e-9, atol=1e-9)


def logistic(pair: DensityPair, d: torch.Tensor) -> float:
    return sum(pair.expectations(softplus(-d), softplus(d))).item()


def least_squares(pair: DensityPair, d: torch.Tensor) -> float:
    return sum(pair.expectations((d - 1).square(), d.square())).item()


def hinge(pair: DensityPair, d: torch.Tensor) -> float:
    return sum(pair.expectations(relu(1 - d), relu(1 + d))).item()


LOSSES = {
    logistic: (lambda pair: pair.logits(pair.grid), lambda pair: 2 * math.log(2) - 2 * pair.js()),
    least_squares: (lambda pair: pair.discriminator(pair.grid), lambda pair: 0.5 - pair.triangular() / 4),
    hinge: (lambda pair: pair.logits(pair.grid).sign(), lambda pair: 2 - 2 * pair.total_variation()),
}


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_the_best_discriminator_reaches_the_divergence_and_no_other_gets_below(pair, loss):
    best, value = LOSSES[loss][0](pair), LOSSES[loss][1](pair)
    other = best + 0.1 * torch.sin(pair.grid.squeeze(1))

    assert loss(pair, best) == pytest.approx(value, abs=1e-5)
    assert loss(pair, other) > value


def test_a_critic_of_slope_one_reaches_the_wasserstein_distance_of_a_shift():
    pair = DensityPair.gaussians(0.0, 1.0, -2.0, 1.0)
    real, fake = pair.expectations(pair.grid.squeeze(1))

    assert (real - fake).item() == pytest.approx(pair.wasserstein(), rel=1e-9)


def test_draws_come_from_both_densities(pair):
    real, fake = pair.sample(20_000, rng(5))
    difference = pair.logits(real)

    assert real.dtype == fake.dtype == torch.float64
    assert abs(difference.mean().item() - pair.kl()) < 4 * difference.std().item() / math.sqrt(20_000)
    assert -pair.logits(fake).mean().item() > 0


def test_divergences_off_the_line_are_refused():
    with pytest.raises(ValueError, match="divergences are integrals over the line: they need N = 1, got 2"):
        DensityPair.example(rng(), size=2).js()
