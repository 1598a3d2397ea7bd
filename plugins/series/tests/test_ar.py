"""AR(K) as a model: solved and trained alike, exact densities, forecasts, simulation, the warning."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from gen.errors import ShapeError
from gen.types import Batch, DataSpec, Domain, Progress
from gen_sdk.oracles.autoregression import Autoregression
from gen_series.ar import AR
from gen_series.law import partials_of
from gen_series.order import ESTIMATORS
from gen_series.simulate import Simulate

TRUTH = Autoregression(torch.tensor([0.6, -0.5], dtype=torch.float64), 0.7, mean=0.4)


def _x(n: int = 4, length: int = 60, seed: int = 2) -> torch.Tensor:
    return TRUTH.sample(n, length, torch.Generator().manual_seed(seed))[:, None]  # [N, 1, T]


def _solved(x: torch.Tensor, **options: Any) -> AR:
    model = AR(data=DataSpec.single(Domain((1, x.shape[2]), "series")), **options)
    model.solve([Batch(x, None, torch.arange(len(x)))])
    return model


def _true_model(length: int = 60) -> AR:
    model = AR(data=DataSpec.single(Domain((1, length), "series")), estimator="exact")
    with torch.no_grad():
        model.weights.copy_(torch.atanh(partials_of(TRUTH.coefficients)))
        model.offset.fill_(TRUTH.mean)
        model.log_variance.fill_(torch.tensor(TRUTH.c, dtype=torch.float64).log())
    return model


def test_the_exact_density_and_the_forecasts_are_the_oracles() -> None:
    model, x = _true_model(), _x()
    mean, variance = TRUTH.forecast(x[:, 0], 5)
    low, high = model.intervals(x, 5, 0.9)

    torch.testing.assert_close(model.log_prob(x), TRUTH.log_prob(x[:, 0]))
    torch.testing.assert_close(model.forecast(x, 5)[:, 0], mean)
    torch.testing.assert_close(((high - low) / 2)[:, 0], (1.6448536269514722 * variance.sqrt()).expand(4, -1))


@pytest.mark.parametrize("estimator", ["ols", "exact"])
@pytest.mark.parametrize("intercept", [True, False])
def test_gradients_end_where_the_closed_form_is(estimator: str, intercept: bool) -> None:
    x = _x()
    solved = _solved(x, estimator=estimator, intercept=intercept)
    trained = AR(data=solved.data, estimator=estimator, intercept=intercept)
    search = torch.optim.LBFGS(trained.parameters(), max_iter=300, tolerance_grad=1e-10, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        search.zero_grad()
        loss = trained.loss(Batch(x, None, torch.arange(4)), Progress(0, 1)).total
        loss.backward()
        return loss

    search.step(closure)

    torch.testing.assert_close(trained.coefficients, solved.coefficients, atol=1e-5, rtol=0)
    torch.testing.assert_close(trained.constant, solved.constant, atol=1e-5, rtol=0)
    torch.testing.assert_close(trained.variance, solved.variance, atol=1e-5, rtol=0)


def test_a_density_given_the_first_values_is_the_rest_of_the_exact_one() -> None:
    x = _x()
    exact = _solved(x, estimator="exact")
    given = AR(data=exact.data)
    with torch.no_grad():
        given.weights.copy_(exact.coefficients)
        given.offset.copy_(exact.constant)
        given.log_variance.copy_(exact.log_variance)
    law = Autoregression(exact.coefficients.detach(), exact.variance.item(), exact.offset.item())

    torch.testing.assert_close(given.log_prob(x), exact.log_prob(x) - law.log_prob(x[:, 0, :2]))


def test_an_order_that_a_criterion_chose_leaves_the_other_coefficients_zero() -> None:
    model = _solved(_x(1, 600), order=None, max_order=6)

    assert int(model.chosen) == 2
    assert model.coefficients[2:].eq(0).all()
    assert model.coefficients[:2].ne(0).all()


def test_simulated_series_have_the_covariance_of_the_process() -> None:
    model = _true_model(5).eval()
    x = Simulate(count=1).sample(model, 20_000, rng=torch.Generator().manual_seed(0))[:, 0]

    assert x.dtype == torch.float32
    torch.testing.assert_close(torch.cov(x.T.double()), TRUTH.covariance(5), atol=0.04, rtol=0)
    torch.testing.assert_close(x.mean().double(), torch.tensor(TRUTH.mean, dtype=torch.float64), atol=0.02, rtol=0)


def test_noise_comes_back_as_residuals() -> None:
    model = _true_model()
    z = torch.randn(3, 60, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    torch.testing.assert_close(model.residuals(model.generate(z)), z)


def test_a_process_that_is_not_stationary_is_said_to_be_so_and_starts_from_the_data() -> None:
    x = (1.02 ** torch.arange(80, dtype=torch.float64) + 0.01 * _x(1, 80)[0, 0])[None, None]
    with pytest.warns(UserWarning, match=r"not stationary: a root has the size 1\.\d+.*difference the data"):
        model = _solved(x)

    assert model.radius > 1
    torch.testing.assert_close(model.generate(torch.zeros(2, 80).double())[:, 0, :2], x[0, :, :2].expand(2, -1))


@pytest.mark.parametrize("shape", [(2, 30), (1, 8, 8), (30,)])
def test_other_data_than_one_series_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"series/ar takes one series of one channel, \(1, T\), got"):
        AR(data=DataSpec.single(Domain(shape, "series")))


def test_an_order_as_long_as_the_series_is_refused() -> None:
    with pytest.raises(ShapeError, match="max_order 28 is too large for stretches of 30 values: lower it"):
        AR(data=DataSpec.single(Domain((1, 30), "series")), order=None, max_order=28)
    with pytest.raises(ShapeError, match="a forecast of order 2 needs as many values, got 1"):
        _solved(_x()).forecast(_x()[..., :1], 3)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_estimator_makes_a_model_that_forecasts(estimator: str) -> None:
    x = _x(1, 400)

    torch.testing.assert_close(
        _solved(x, estimator=estimator).forecast(x, 3)[0, 0], TRUTH.forecast(x[:, 0], 3)[0][0], atol=0.3, rtol=0
    )
