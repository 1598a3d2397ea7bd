"""Estimators against closed forms, numpy, statsmodels and the exact oracle."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch

from gen.errors import DataError
from gen.types import Batch
from gen_sdk.oracles.autoregression import Autoregression
from gen_series.ar import AR
from gen_series.law import coefficients_of, innovations, levinson, partials_of, radius, responses
from gen_series.order import ESTIMATORS, fit


def _rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _draws(order: int, n: int = 3, length: int = 200, seed: int = 1) -> tuple[Autoregression, torch.Tensor]:
    truth = Autoregression.example(order, _rng(seed))
    return truth, truth.sample(n, length, _rng(seed + 1))


def test_partial_autocorrelations_and_coefficients_are_inverse() -> None:
    truth, _ = _draws(5)

    torch.testing.assert_close(coefficients_of(partials_of(truth.coefficients)), truth.coefficients)


def test_levinson_solves_the_yule_walker_equations() -> None:
    truth, _ = _draws(4)
    partials, variances = levinson(truth.autocovariance(4))

    torch.testing.assert_close(coefficients_of(partials), truth.coefficients)
    torch.testing.assert_close(float(variances[-1]), truth.c)


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize("length", [2, 30])
def test_one_step_errors_factor_the_exact_density(order: int, length: int) -> None:
    truth, x = _draws(order, length=max(length, order))
    x = x[:, :length]
    errors, ratios = innovations(x - truth.mean, partials_of(truth.coefficients))
    logs = errors.square() / (truth.c * ratios) + (2 * torch.pi * truth.c * ratios).log()

    torch.testing.assert_close(-0.5 * logs.sum(1), truth.log_prob(x))


def test_impulse_responses_are_the_oracles() -> None:
    truth, _ = _draws(3)

    torch.testing.assert_close(responses(truth.coefficients, 12), truth.responses(12))


@pytest.mark.parametrize("intercept", [True, False])
def test_least_squares_is_numpys(intercept: bool) -> None:
    _, x = _draws(3, n=2)
    found = fit(x, "ols", 3, intercept)
    design = np.concatenate([np.stack([row[2 - k : -1 - k] for k in range(3)], 1) for row in x.numpy()])
    design = np.column_stack([design, np.ones(len(design))]) if intercept else design
    target = np.concatenate([row[3:] for row in x.numpy()])
    wanted = np.linalg.lstsq(design, target, rcond=None)[0]

    np.testing.assert_allclose([*found.a, *([found.b] if intercept else [])], wanted, atol=1e-10)
    np.testing.assert_allclose(found.c, np.mean((target - design @ wanted) ** 2))


def test_order_one_has_known_closed_forms() -> None:
    x = torch.tensor([[1.0, 3.0, 2.0, 5.0, 4.0, 6.0]], dtype=torch.float64)
    y = x - x.mean()
    products, squares = (y[:, 1:] * y[:, :-1]).sum(), y.square()

    torch.testing.assert_close(fit(x, "yule-walker", 1, True).a[0], products / squares.sum())
    torch.testing.assert_close(
        fit(x, "burg", 1, True).a[0], 2 * products / (squares[:, 1:].sum() + squares[:, :-1].sum())
    )


@pytest.mark.parametrize("estimator", ["yule-walker", "burg", "exact"])
def test_these_estimators_are_stationary_even_for_a_trend(estimator: str) -> None:
    trend = torch.arange(60, dtype=torch.float64)[None] + torch.randn(1, 60, generator=_rng(), dtype=torch.float64)

    assert radius(fit(trend, estimator, 3, True).a) < 1


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_coefficients_are_recovered(estimator: str) -> None:
    truth, x = _draws(2, n=2, length=4000)
    found = fit(x, estimator, 2, True)

    torch.testing.assert_close(found.a, truth.coefficients, atol=3 / 8000**0.5, rtol=0)
    assert abs(found.c - truth.c) < 4 * truth.c * (2 / 8000) ** 0.5


def test_the_exact_likelihood_is_highest_at_its_estimate() -> None:
    _, x = _draws(2, n=1, length=80)
    best = fit(x, "exact", 2, True)

    def value(a: torch.Tensor, mean: float, c: float) -> float:
        return float(Autoregression(a, c, mean).log_prob(x).sum())

    mean = best.b / (1 - float(best.a.sum()))
    assert value(best.a, mean, best.c) == pytest.approx(best.log_prob, rel=1e-9)
    for shift in (torch.tensor([1e-3, 0.0]), torch.tensor([0.0, -1e-3])):
        assert value(best.a + shift, mean, best.c) < best.log_prob
    assert value(best.a, mean + 1e-2, best.c) < best.log_prob
    assert value(best.a, mean, best.c * 1.01) < best.log_prob


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_bic_finds_the_order(estimator: str) -> None:
    truth = Autoregression(torch.tensor([0.5, -0.6], dtype=torch.float64), 1.0)
    x = truth.sample(1, 600, _rng(3))

    assert len(fit(x, estimator, 4, True, "bic").a) == 2


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_constant_series_and_a_large_order_are_refused(estimator: str) -> None:
    with pytest.raises(DataError, match=r"constant|repeats itself"):
        fit(torch.full((1, 40), 3.0), estimator, 2, True)
    with pytest.raises(DataError, match="order 9 is too large for 10 values"):
        fit(torch.randn(1, 10, generator=_rng()), estimator, 9, True)


@pytest.mark.parametrize("name", ["sunspots", "air", "co2"])
@pytest.mark.parametrize("order", [2, 12])
def test_coefficients_and_forecasts_are_those_of_statsmodels(name: str, order: int, real: Any) -> None:
    reference = pytest.importorskip("statsmodels.tsa.ar_model", reason="statsmodels is not installed")
    spec, x = real(name)
    theirs = reference.AutoReg(x.flatten().numpy(), order, trend="c").fit()
    model = AR(data=spec, order=order)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # CO2 grows: no root of it is inside the circle
        model.solve([Batch(x, None, torch.zeros(1))])
    predicted = theirs.get_prediction(x.shape[2], x.shape[2] + 23)
    low, high = (bound.detach().flatten().numpy() for bound in model.intervals(x, 24))

    np.testing.assert_allclose(model.coefficients.detach(), theirs.params[1:], atol=1e-9)
    np.testing.assert_allclose(model.constant.item(), theirs.params[0], atol=1e-8)
    np.testing.assert_allclose(model.log_prob(x).item(), theirs.llf, rtol=1e-9)
    np.testing.assert_allclose(model.forecast(x, 24).detach().flatten(), predicted.predicted_mean, atol=1e-6)
    np.testing.assert_allclose((high - low) / 2, 1.959963984540054 * predicted.se_mean, rtol=1e-6)


@pytest.mark.parametrize("name", ["sunspots", "air", "co2"])
def test_the_chosen_order_is_that_of_statsmodels(name: str, real: Any) -> None:
    reference = pytest.importorskip("statsmodels.tsa.ar_model", reason="statsmodels is not installed")
    _, x = real(name)
    theirs = reference.ar_select_order(x.flatten().numpy(), 12, ic="bic")

    assert len(fit(x[0], "ols", 12, True, "bic").a) == len(theirs.ar_lags or ())
