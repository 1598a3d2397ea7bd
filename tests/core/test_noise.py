"""The algebra of noise against Bayes' rule, quadrature, finite differences and the kernels of the chain itself."""

from __future__ import annotations

import itertools
import math
from typing import Any

import attrs
import pytest
import torch
from torch import Tensor

from gen.errors import OptionError
from gen.interfaces import NoiseSchedule
from gen.noise import PARAMETERIZATIONS, Level, add_noise, convert, level_at, noise_of, step_back, target_of, x_of
from gen.noise_schedules import (
    CosineNoise,
    EdmNoise,
    LinearNoise,
    LinearPath,
    SigmoidNoise,
    TrigonometricPath,
    VarianceExploding,
    VariancePreserving,
)

PRESERVING = (LinearNoise, CosineNoise, SigmoidNoise, VariancePreserving)
SCHEDULES = (*PRESERVING, VarianceExploding, EdmNoise, LinearPath, TrigonometricPath)
T = torch.linspace(0.01231, 0.98703, 28, dtype=torch.float64)  # none at a node of a chain of 1000

schedules = pytest.mark.parametrize("schedule", [cls() for cls in SCHEDULES], ids=lambda s: type(s).__name__)


@schedules
@pytest.mark.parametrize(("of", "to"), list(itertools.permutations(PARAMETERIZATIONS, 2)))
def test_what_is_predicted_converts_exactly_both_ways(schedule: NoiseSchedule, of: str, to: str) -> None:
    level = level_at(schedule, T)
    x, noise, x_noisy = _data(level)
    output = _meaning(of, x, noise, level)

    there = convert(output, x_noisy, level, of, to)
    torch.testing.assert_close(target_of(x, noise, level, to), _meaning(to, x, noise, level), rtol=1e-9, atol=1e-9)
    back = convert(there, x_noisy, level, to, of)

    torch.testing.assert_close(there, _meaning(to, x, noise, level), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(back, output, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("of", PARAMETERIZATIONS)
def test_round_trips_keep_twelve_digits_where_signal_and_noise_are_comparable(of: str) -> None:
    level = level_at(LinearPath(), torch.linspace(0.2, 0.8, 13, dtype=torch.float64))
    x, noise, x_noisy = _data(level)
    output = _meaning(of, x, noise, level)

    for to in PARAMETERIZATIONS:
        back = convert(convert(output, x_noisy, level, of, to), x_noisy, level, to, of)
        assert (back - output).abs().max() < 1e-12, to


@schedules
def test_x_and_noise_rebuild_what_was_noisy(schedule: NoiseSchedule) -> None:
    level = level_at(schedule, T)
    _, _, x_noisy = _data(level)
    output = torch.randn(x_noisy.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)

    for of in PARAMETERIZATIONS:
        rebuilt = add_noise(x_of(output, x_noisy, level, of), noise_of(output, x_noisy, level, of), level)
        torch.testing.assert_close(rebuilt, x_noisy, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("of", ["x", "v", "velocity", "edm"])
@pytest.mark.parametrize("schedule", [LinearPath(), TrigonometricPath(), VariancePreserving(zero_terminal=True)])
def test_where_no_signal_is_left_x_is_still_determined(schedule: NoiseSchedule, of: str) -> None:
    level = level_at(schedule, torch.ones(5, dtype=torch.float64))
    x, noise, x_noisy = _data(level)

    assert (level.alpha == 0).all()
    torch.testing.assert_close(x_of(_meaning(of, x, noise, level), x_noisy, level, of), x, rtol=1e-9, atol=1e-9)


def test_edm_is_its_preconditioning() -> None:
    level, sigma_data = level_at(EdmNoise(), T), 0.6162
    x, noise, x_noisy = _data(level)
    sigma = level.sigma[:, None]
    c_skip = sigma_data**2 / (sigma**2 + sigma_data**2)
    c_out = sigma * sigma_data / (sigma**2 + sigma_data**2).sqrt()

    output = convert(noise, x_noisy, level, "eps", "edm", sigma_data)

    torch.testing.assert_close(c_skip * x_noisy + c_out * output, x, rtol=1e-9, atol=1e-9)


def test_edms_target_has_unit_variance_at_every_level() -> None:
    level = level_at(EdmNoise(), T)
    rng = torch.Generator().manual_seed(0)
    x = 0.5 * torch.randn(len(T), 40_000, generator=rng, dtype=torch.float64)
    noise = torch.randn(x.shape, generator=rng, dtype=torch.float64)

    output = convert(noise, add_noise(x, noise, level), level, "eps", "edm", 0.5)

    torch.testing.assert_close(output.var(1), torch.ones_like(T), rtol=0.03, atol=0)


@schedules
def test_derivatives_are_those_of_alpha_sigma_and_log_snr(schedule: NoiseSchedule) -> None:
    level, h = level_at(schedule, T), 1e-6

    def slope(f: Any) -> Tensor:
        return (f(T + h) - f(T - h)) / (2 * h)

    torch.testing.assert_close(level.d_alpha, slope(schedule.alpha), rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(level.d_sigma, slope(schedule.sigma), rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(level.d_log_snr, slope(schedule.log_snr), rtol=1e-5, atol=1e-6)


@schedules
def test_signal_falls_all_the_way_and_time_of_inverts_the_log_snr(schedule: NoiseSchedule) -> None:
    log_snr = schedule.log_snr(T)

    assert (log_snr.diff() < 0).all()
    torch.testing.assert_close(schedule.time_of(log_snr), T, rtol=1e-9, atol=1e-9)


@schedules
def test_a_schedule_begins_at_the_data(schedule: NoiseSchedule) -> None:
    start = torch.zeros(1, dtype=torch.float64)

    assert schedule.alpha(start).item() == pytest.approx(1, abs=1e-12)
    assert schedule.sigma(start).item() <= 0.0101


@schedules
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_coefficients_come_as_the_time_comes(schedule: NoiseSchedule, dtype: torch.dtype) -> None:
    level = level_at(schedule, T.to(dtype))

    for value in attrs.astuple(level):
        assert value.dtype == dtype
        assert value.shape == T.shape


@pytest.mark.parametrize("cls", PRESERVING)
@pytest.mark.parametrize("zero_terminal", [False, True])
def test_variance_is_preserved(cls: type, zero_terminal: bool) -> None:
    level = level_at(cls(zero_terminal=zero_terminal), T)

    torch.testing.assert_close(level.alpha**2 + level.sigma**2, torch.ones_like(T), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("cls", PRESERVING)
def test_zero_terminal_ends_without_signal_and_starts_as_before(cls: type) -> None:
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64)

    assert cls(zero_terminal=True).alpha(ends).tolist() == pytest.approx([1, 0], abs=1e-12)
    assert cls().alpha(ends)[1] > 0


def test_the_linear_chain_is_the_product_of_its_kernels() -> None:
    betas = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    mean, variance = torch.ones(()).double(), torch.zeros(()).double()
    schedule = LinearNoise()

    for i, beta in enumerate(betas, start=1):  # x_i = sqrt(1 - beta) x_{i-1} + sqrt(beta) noise
        mean, variance = mean * (1 - beta).sqrt(), variance * (1 - beta) + beta
        if i in (1, 2, 10, 500, 1000):
            t = torch.tensor([i / 1000], dtype=torch.float64)
            torch.testing.assert_close(schedule.alpha(t)[0], mean, rtol=1e-12, atol=0)
            torch.testing.assert_close(schedule.sigma(t)[0] ** 2, variance, rtol=1e-9, atol=0)


@schedules
def test_one_step_back_is_bayes_rule(schedule: NoiseSchedule) -> None:
    """q(x_s | x_t, x) on a grid: the normalised product of q(x_t | x_s) and q(x_s | x)."""
    earlier, later = (level_at(schedule, torch.tensor([t], dtype=torch.float64)) for t in (0.4, 0.55))
    x, x_noisy = 0.7, -0.4
    step = step_back(earlier, later)
    grid = torch.linspace(-1, 1, 40_001, dtype=torch.float64) * 12 * earlier.sigma + earlier.alpha * x
    ratio = later.alpha / earlier.alpha
    kernel = later.sigma**2 - ratio**2 * earlier.sigma**2
    logits = -((x_noisy - ratio * grid) ** 2) / (2 * kernel) - (grid - earlier.alpha * x) ** 2 / (2 * earlier.sigma**2)
    weights = logits.softmax(0)
    mean = (weights * grid).sum()
    variance = (weights * (grid - mean) ** 2).sum()

    torch.testing.assert_close(step.from_noisy[0] * x_noisy + step.from_x[0] * x, mean, rtol=1e-7, atol=1e-9)
    torch.testing.assert_close(step.variance[0], variance, rtol=1e-6, atol=1e-12)


def test_ddpms_posterior_is_the_step_between_two_nodes() -> None:
    """Ho et al. 2020, equations 6 and 7, written with betas."""
    schedule, betas = LinearNoise(), torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    products = (1 - betas).cumprod(0)
    i = torch.tensor([2, 17, 400, 1000])
    beta, now, before = betas[i - 1], products[i - 1], products[i - 2]

    step = step_back(level_at(schedule, (i - 1).double() / 1000), level_at(schedule, i.double() / 1000))

    torch.testing.assert_close(step.kernel, beta, rtol=1e-8, atol=0)
    torch.testing.assert_close(step.variance, beta * (1 - before) / (1 - now), rtol=1e-8, atol=0)
    torch.testing.assert_close(step.from_x, before.sqrt() * beta / (1 - now), rtol=1e-8, atol=0)
    torch.testing.assert_close(step.from_noisy, (1 - beta).sqrt() * (1 - before) / (1 - now), rtol=1e-8, atol=0)


@pytest.mark.parametrize("schedule", [LinearPath(), TrigonometricPath(), VariancePreserving(zero_terminal=True)])
def test_from_pure_noise_a_step_back_forgets_where_it_was(schedule: NoiseSchedule) -> None:
    earlier, later = (level_at(schedule, torch.tensor([t], dtype=torch.float64)) for t in (0.6, 1.0))
    step = step_back(earlier, later)

    assert step.from_noisy.item() == 0
    assert step.from_x.item() == pytest.approx(earlier.alpha.item(), rel=1e-12)
    assert step.variance.item() == pytest.approx(earlier.sigma.item() ** 2, rel=1e-12)


def test_two_steps_back_compose_to_one() -> None:
    """The law of x_r given x_t and x does not depend on stopping at x_s on the way."""
    r, s, t = (level_at(CosineNoise(), torch.tensor([u], dtype=torch.float64)) for u in (0.2, 0.5, 0.9))
    first, second, whole = step_back(s, t), step_back(r, s), step_back(r, t)

    torch.testing.assert_close(second.from_noisy * first.from_noisy, whole.from_noisy)
    torch.testing.assert_close(second.from_noisy * first.from_x + second.from_x, whole.from_x)
    torch.testing.assert_close(second.from_noisy**2 * first.variance + second.variance, whole.variance)


def test_a_sigmoid_that_does_not_rise_is_refused() -> None:
    with pytest.raises(OptionError, match=r"end must be above start \(3\), got 2"):
        SigmoidNoise(start=3.0, end=2.0)


def _data(level: Level) -> tuple[Tensor, Tensor, Tensor]:
    """x, noise and x_noisy, [B, 7]."""
    rng = torch.Generator().manual_seed(1)
    x, noise = (torch.randn(len(level.alpha), 7, generator=rng, dtype=torch.float64) for _ in range(2))
    return x, noise, add_noise(x, noise, level)


def _meaning(name: str, x: Tensor, noise: Tensor, level: Level, sigma_data: float = 0.5) -> Tensor:
    """What a network that knew x and noise would put out, as the papers define it."""
    alpha, sigma, d_alpha, d_sigma = (value[:, None] for value in attrs.astuple(level))
    if name == "edm":  # the network sees x_noisy / alpha at the noise level sigma / alpha; written without 1 / alpha
        root = (sigma**2 + (sigma_data * alpha) ** 2).sqrt()
        c_skip = sigma_data**2 * alpha / root**2
        return (x - c_skip * (alpha * x + sigma * noise)) * root / (sigma * sigma_data)
    return {
        "eps": noise,
        "x": x,
        "v": alpha * noise - sigma * x,
        "velocity": d_alpha * x + d_sigma * noise,
        "score": -noise / sigma,
    }[name]


def test_log_snr_is_in_nats() -> None:
    level = level_at(LinearPath(), torch.tensor([0.25], dtype=torch.float64))

    assert level.log_snr.item() == pytest.approx(2 * math.log(3))
    assert level.nsr.item() == pytest.approx(1 / 3)
