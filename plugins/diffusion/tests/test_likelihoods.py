"""Both likelihoods against the density of a mixture."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from gen.noise_schedules import CosineNoise, EdmNoise, LinearPath
from gen.types import DataSpec, Domain
from gen_diffusion.bound import _log_likelihood
from gen_diffusion.ode_likelihood import _dequantized, ode_log_prob
from gen_sdk.oracles.gaussian_mixture import GaussianMixture


@pytest.mark.parametrize(("kind", "schedule"), [("velocity", LinearPath()), ("edm", EdmNoise())])
def test_the_flows_density_is_the_mixtures(perfect: Any, mixture: Any, kind: str, schedule: Any) -> None:
    model = perfect(kind, schedule, probes=0, ode_steps=60)
    x = mixture.sample(20, torch.Generator().manual_seed(3))

    torch.testing.assert_close(model.log_prob(x), mixture.log_prob(x), rtol=0, atol=0.02)


class Sharp:
    """The perfect denoiser of eight narrow Gaussians on a circle."""

    def __init__(self, schedule: Any) -> None:
        angles = torch.arange(8) * math.tau / 8
        means = 0.8 * torch.stack([angles.cos(), angles.sin()], 1)  # [8, 2]
        self.mixture = GaussianMixture(torch.full((8,), 1 / 8), means, (0.05**2 * torch.eye(2)).expand(8, 2, 2))
        self.schedule, self.data = schedule, DataSpec.single(Domain((2,), "vector"))

    def denoise(self, x_noisy: torch.Tensor, t: torch.Tensor, cond: Any = None) -> torch.Tensor:
        return self.mixture.denoise(x_noisy, float(self.schedule.alpha(t[0])), float(self.schedule.sigma(t[0])))


@pytest.mark.parametrize("schedule", [CosineNoise(), LinearPath()])
def test_steps_that_shorten_with_the_noise_find_the_density_of_sharp_data(schedule: Any) -> None:
    model: Any = Sharp(schedule)
    x = model.mixture.sample(40, torch.Generator().manual_seed(0))

    worst = {
        power: (ode_log_prob(model, x, None, steps=48, probes=0, power=power) - model.mixture.log_prob(x)).abs().max()
        for power in (1, 3)
    }

    assert worst[3] < 0.02
    assert worst[1] > 5 * worst[3]


def test_random_probes_estimate_the_divergence_without_bias(perfect: Any, mixture: Any) -> None:
    x = mixture.sample(1, torch.Generator().manual_seed(3)).expand(800, 2)
    torch.manual_seed(0)

    found = perfect("velocity", LinearPath(), probes=1, ode_steps=8).log_prob(x)
    exact = perfect("velocity", LinearPath(), probes=0, ode_steps=8).log_prob(x[:1])

    assert abs(found.mean() - exact[0]) < 4 * found.std() / math.sqrt(800) + 1e-6


def test_the_variational_bound_lies_below_the_density_and_near_it(perfect: Any, mixture: Any) -> None:
    model = perfect("v", CosineNoise(), steps=20, variance="large")
    x = mixture.sample(4000, torch.Generator().manual_seed(3))
    torch.manual_seed(0)

    gap = mixture.log_prob(x) - model.log_prob(x)

    assert 3 * gap.std() / math.sqrt(4000) < gap.mean() < 0.3


def test_a_longer_chain_has_a_tighter_bound(perfect: Any, mixture: Any) -> None:
    x = mixture.sample(3000, torch.Generator().manual_seed(3))
    values = []
    for steps in (4, 40):
        torch.manual_seed(0)
        values.append(perfect("v", CosineNoise(), steps=steps, variance="large").log_prob(x).mean().item())

    assert values[0] < values[1]


def test_a_few_terms_stand_for_all(perfect: Any, mixture: Any) -> None:
    x = mixture.sample(300, torch.Generator().manual_seed(3))
    torch.manual_seed(0)
    whole = perfect("v", CosineNoise(), steps=20).log_prob(x)
    part = perfect("v", CosineNoise(), steps=20, terms=5).log_prob(x)

    assert abs(whole.mean() - part.mean()) < 4 * (part.std() + whole.std()) / math.sqrt(300)


@pytest.mark.parametrize("mean", [-1.2, 0.3, 0.999])
def test_the_mass_of_all_levels_is_one(mean: float) -> None:
    domain = Domain((1,), levels=16)
    x = torch.linspace(-1, 1, 16)[:, None]

    log_mass = _log_likelihood(x, torch.full_like(x, mean), torch.full((1,), 2 * math.log(0.07)), domain)

    assert log_mass.exp().sum().item() == pytest.approx(1, abs=1e-6)


def test_dequantized_levels_fill_their_bins_and_no_more() -> None:
    domain = DataSpec.single(Domain((1,), levels=256)).domain
    x = torch.full((1000, 1), 2 * 100 / 255 - 1)

    spread, offset = _dequantized(x, domain)

    assert (spread - x).abs().max() <= 1 / 255
    assert offset == pytest.approx(math.log(2 / 255))
