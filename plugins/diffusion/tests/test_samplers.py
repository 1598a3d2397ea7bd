"""Every sampler on every schedule, on a Gaussian and a mixture: order, moments, calls, guidance."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from gen.errors import OptionError
from gen.noise_schedules import (
    CosineNoise,
    EdmNoise,
    LinearNoise,
    LinearPath,
    TrigonometricPath,
    VarianceExploding,
    VariancePreserving,
)
from gen.types import CondSpec, DataSpec, Domain
from gen_diffusion.samplers.adaptive import Adaptive
from gen_diffusion.samplers.ddim import DDIM
from gen_diffusion.samplers.ddpm import Ancestral
from gen_diffusion.samplers.dpm_solver import DPMSolver
from gen_diffusion.samplers.edm_stochastic import EdmStochastic
from gen_diffusion.samplers.grid import GRIDS, make_grid
from gen_diffusion.samplers.langevin import Langevin
from gen_diffusion.samplers.ode import Euler, Heun
from gen_diffusion.samplers.unipc import UniPC

SCHEDULES = [
    LinearNoise(),
    CosineNoise(),
    VariancePreserving(zero_terminal=True),
    VarianceExploding(),
    EdmNoise(),
    LinearPath(),
    TrigonometricPath(),
]
schedules = pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: type(s).__name__)
SOLVERS = {
    "ddim": (DDIM, {"grid": "karras"}, 1),
    "euler": (Euler, {"grid": "karras"}, 1),
    "heun": (Heun, {"grid": "karras"}, 2),
    "heun-in-equal-times": (Heun, {"grid": "time"}, 2),
    "dpm-solver-1": (DPMSolver, {"order": 1}, 1),
    "dpm-solver-2": (DPMSolver, {"order": 2}, 2),
    "unipc-2": (UniPC, {"order": 2}, 2),
    "edm": (EdmStochastic, {}, 2),
}
SAMPLERS = {
    "ddim": DDIM(steps=200),
    "ddim-noisy": DDIM(steps=300, eta=1.0, grid="karras"),
    "ancestral": Ancestral(steps=400, variance="small", grid="karras"),
    "ancestral-large": Ancestral(steps=400, variance="large", grid="karras"),
    "euler": Euler(steps=1500),
    "heun": Heun(steps=60, grid="karras"),
    "dpm-solver": DPMSolver(steps=60),
    "dpm-solver-3": DPMSolver(steps=60, order=3),
    "dpm-solver-sde": DPMSolver(steps=200, sde=True),
    "unipc": UniPC(steps=60),
    "unipc-3": UniPC(steps=60, order=3),
    "edm": EdmStochastic(steps=60),
    "edm-churned": EdmStochastic(steps=60, churn=20.0),
    "adaptive": Adaptive(grid="karras", atol=1e-4, rtol=1e-4),
    "langevin": Langevin(steps=150, corrections=2, size=0.05),
}


class Known:
    """A model of one Gaussian N(mean, std^2), whose probability flow has a closed form."""

    conditional = True
    mean, std = 0.3, 0.5

    def __init__(self, schedule: Any, classes: int = 0) -> None:
        self.schedule = schedule
        self.data = DataSpec.single(
            Domain((1,), "vector", (-1.0, 1.0)), CondSpec("class", classes) if classes else None
        )
        self.calls = 0

    def denoise(self, x: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        self.calls += 1
        alpha, sigma = self.schedule.alpha(t)[:, None], self.schedule.sigma(t)[:, None]
        shift = 0.0 if cond is None else 0.1 * cond[:, None]
        mean = self.mean + shift
        return mean + alpha * self.std**2 / (alpha**2 * self.std**2 + sigma**2) * (x - alpha * mean)

    def flow(self, noise: Tensor) -> Tensor:
        """Where the exact flow carries x = sigma(1) noise."""
        alpha, sigma = (f(torch.ones(1)).item() for f in (self.schedule.alpha, self.schedule.sigma))
        scale = math.sqrt((alpha * self.std) ** 2 + sigma**2)
        return self.mean + self.std * (sigma * noise - alpha * self.mean) / scale


@schedules
@pytest.mark.parametrize("name", list(SOLVERS))
def test_a_solver_converges_with_its_order(name: str, schedule: Any) -> None:
    cls, options, order = SOLVERS[name]
    model, errors = Known(schedule), []
    noise = torch.randn(32, 1, generator=torch.Generator().manual_seed(0))
    for steps in (64, 128):
        x = cls(steps=steps, **options).sample(model, 32, rng=torch.Generator().manual_seed(0))
        errors.append((x - model.flow(noise)).abs().max().item() - _floor(schedule))

    assert errors[1] <= 0 or math.log2(errors[0] / errors[1]) >= order - 0.3


def test_heun_is_edms_sampler_where_alpha_is_one() -> None:
    model = Known(EdmNoise())

    x, same = (
        sampler.sample(model, 8, rng=torch.Generator().manual_seed(0))
        for sampler in (Heun(steps=9, grid="karras"), EdmStochastic(steps=9))
    )

    torch.testing.assert_close(x, same)


@schedules
@pytest.mark.parametrize("name", list(SAMPLERS))
def test_samples_have_the_moments_of_the_data(name: str, schedule: Any) -> None:
    n, model = 10_000, Known(schedule)

    x = SAMPLERS[name].sample(model, n, rng=torch.Generator().manual_seed(1))

    assert x.shape == (n, 1)
    assert x.mean().item() == pytest.approx(model.mean, abs=4 * model.std / math.sqrt(n) + 0.02)
    assert x.std().item() == pytest.approx(model.std, rel=0.05)


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_samples_repeat_under_their_generator_and_leave_the_global_one_alone(name: str) -> None:
    model, before = Known(CosineNoise()), torch.random.get_rng_state()

    first, second, other = (
        SAMPLERS[name].sample(model, 5, rng=torch.Generator().manual_seed(seed)) for seed in (3, 3, 4)
    )

    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(
    ("sampler", "calls"),
    [
        (DDIM(steps=7), 7),
        (Ancestral(steps=7), 7),
        (Euler(steps=7), 7),
        (Heun(steps=7), 13),
        (DPMSolver(steps=7), 7),
        (UniPC(steps=7), 7),
        (EdmStochastic(steps=7), 13),
        (Langevin(steps=7, corrections=2), 21),
    ],
)
def test_the_network_is_called_as_often_as_promised(sampler: Any, calls: int) -> None:
    model = Known(EdmNoise(), classes=3)
    cond = torch.tensor([0, 1, 2])

    sampler.sample(model, 3, rng=torch.Generator().manual_seed(0), cond=cond)
    assert model.calls == calls
    guided = type(sampler)(**{**_options(sampler), "guidance": 3.0})
    guided.sample(model, 3, rng=torch.Generator().manual_seed(0), cond=cond)
    assert model.calls == 2 * calls  # both estimates of a guided step share a call


def test_one_step_gives_the_mean_of_the_data() -> None:
    model = Known(LinearPath())

    for sampler in (DDIM(steps=1), Euler(steps=1), Heun(steps=1), DPMSolver(steps=1), UniPC(steps=1)):
        x = sampler.sample(model, 4, rng=torch.Generator().manual_seed(0))
        torch.testing.assert_close(x, torch.full_like(x, model.mean))


@schedules
@pytest.mark.parametrize("kind", GRIDS)
def test_a_grid_begins_in_noise_falls_and_ends_clean(schedule: Any, kind: str) -> None:
    grid = make_grid(schedule, 17, kind, torch.device("cpu"))

    assert grid.steps == 17
    assert grid.times[0] == 1
    assert (grid.times.diff() < 0).all()
    assert (grid.alpha[-1], grid.sigma[-1]) == (1.0, 0.0)


def test_ddim_with_all_noise_is_the_chain_itself() -> None:
    model = Known(CosineNoise())

    chain = Ancestral(steps=30, variance="small").sample(model, 6, rng=torch.Generator().manual_seed(0))
    ddim = DDIM(steps=30, eta=1.0).sample(model, 6, rng=torch.Generator().manual_seed(0))

    torch.testing.assert_close(ddim, chain)


def test_order_one_of_every_exponential_solver_is_ddim() -> None:
    model = Known(CosineNoise())
    x = [
        cls(steps=9, grid="karras", **options).sample(model, 6, rng=torch.Generator().manual_seed(0))
        for cls, options in ((DDIM, {}), (DPMSolver, {"order": 1}))
    ]

    torch.testing.assert_close(x[0], x[1])


def test_guidance_of_one_is_off_and_of_zero_forgets_the_label() -> None:
    model, cond = Known(CosineNoise(), classes=3), torch.tensor([0, 1, 2])

    def sampled(guidance: float, cond: Tensor | None, **options: Any) -> Tensor:
        sampler = DDIM(steps=12, guidance=guidance, **options)
        return sampler.sample(model, 3, rng=torch.Generator().manual_seed(0), cond=cond)

    null = torch.full_like(cond, 3)
    torch.testing.assert_close(sampled(0.0, cond), sampled(1.0, null))
    torch.testing.assert_close(sampled(4.0, cond, interval=(0.0, 0.0)), sampled(1.0, cond))
    assert (sampled(4.0, cond) < sampled(1.0, cond)).all()  # away from the null label's mean, which is the largest


def test_guidance_without_labels_is_refused() -> None:
    with pytest.raises(OptionError, match="guidance: 2 needs labels or a weaker network"):
        DDIM(guidance=2.0).sample(Known(CosineNoise()), 2, rng=torch.Generator().manual_seed(0))


def test_an_interval_that_falls_is_refused() -> None:
    with pytest.raises(OptionError, match=r"interval must rise, got \[0.5, 0.1\]"):
        DDIM(interval=(0.5, 0.1)).sample(Known(CosineNoise()), 2, rng=torch.Generator().manual_seed(0))


def test_sde_of_order_three_is_refused() -> None:
    with pytest.raises(OptionError, match="sde: true goes with order 1 or 2, got 3"):
        DPMSolver(order=3, sde=True).sample(Known(CosineNoise()), 2, rng=torch.Generator().manual_seed(0))


def test_a_variance_that_the_model_does_not_state_is_refused() -> None:
    with pytest.raises(OptionError, match="needs a model that states the variance of a step; choose small or large"):
        Ancestral(variance="model").sample(Known(CosineNoise()), 2, rng=torch.Generator().manual_seed(0))


def test_clipped_estimates_stay_in_the_range_of_the_data() -> None:
    model, seen = Known(CosineNoise()), []
    model.mean = 3.0

    DDIM(steps=5, clip=True).sample(
        model, 4, rng=torch.Generator().manual_seed(0), observe=lambda step, total, x: seen.append((step, total, x))
    )

    assert [(step, total) for step, total, _ in seen] == [(i, 5) for i in range(1, 6)]
    assert all((x <= 1).all() for _, _, x in seen)


@pytest.mark.parametrize("name", ["dpm-solver", "heun", "ancestral"])
def test_a_mixture_is_sampled_in_its_proportions(perfect: Any, mixture: Any, name: str) -> None:
    model = perfect("velocity", LinearPath())
    x = SAMPLERS[name].sample(model, 3000, rng=torch.Generator().manual_seed(2))

    truth = mixture.sample(3000, torch.Generator().manual_seed(5))
    torch.testing.assert_close(x.mean(0), truth.mean(0), rtol=0, atol=0.08)
    torch.testing.assert_close(x.T.cov(), truth.T.cov(), rtol=0, atol=0.08)


def _floor(schedule: Any) -> float:
    """What stopping at a little noise, not at none, leaves of error: it does not shrink with the steps."""
    end = torch.tensor([schedule.t_min])
    nsr = max((schedule.sigma(end) / schedule.alpha(end)).item(), 0.002)
    return 5 * nsr**2


def _options(sampler: Any) -> dict[str, Any]:
    names = ("steps", "corrections") if isinstance(sampler, Langevin) else ("steps",)
    return {name: getattr(sampler, name) for name in names}
