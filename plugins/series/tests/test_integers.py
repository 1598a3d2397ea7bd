"""Whole numbers under AR(K): masses that sum to 1, the walk of `code`, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from gen.errors import DataError
from gen.types import DataSpec, Domain
from gen_series.ar import AR
from gen_series.integers import MOST, masses, terms, uniform
from gen_series.law import partials_of

A = torch.tensor([0.6, -0.5], dtype=torch.float64)


def model_of(deviation: float, estimator: str, mean: float = 40.0) -> AR:
    """AR(2) with these coefficients."""
    model = AR(data=DataSpec.single(Domain((1, 60), "series")), estimator=estimator)
    with torch.no_grad():
        model.weights.copy_(torch.atanh(partials_of(A)) if model.exact else A)
        model.offset.fill_(mean if model.exact else mean * float(1 - A.sum()))
        model.log_variance.fill_(2 * math.log(deviation))
    return model


def walked(model: AR, symbols: torch.Tensor, told: dict[str, int]) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The series of `code` where these symbols [n, T] are picked, and the chances that were handed out."""
    columns, seen = iter(symbols.unbind(1)), []

    def choose(chances: torch.Tensor) -> torch.Tensor:
        seen.append(chances)
        return next(columns)

    return model.code(len(symbols), choose, **told), seen


def test_masses_sum_to_one_and_are_the_normal_distributions() -> None:
    mean, spread = torch.tensor([3.3, -80.0, 1e6], dtype=torch.float64), torch.tensor(2.0, dtype=torch.float64)
    found = masses(mean, spread, -5, 9)
    normal = torch.distributions.Normal(mean[0], spread)

    assert found.shape == (3, 15)
    torch.testing.assert_close(found.sum(1), torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(found[0, 6], normal.cdf(torch.tensor(1.5)) - normal.cdf(torch.tensor(0.5)))
    torch.testing.assert_close(found[0, 0], normal.cdf(torch.tensor(-4.5)))
    assert found[1, 0] == 1  # what lies beyond the range belongs to its end
    assert found[2, -1] == 1


@pytest.mark.parametrize("estimator", ["exact", "ols"])
def test_chances_of_fine_numbers_are_the_density(estimator: str) -> None:
    """With a deviation of 300 units the masses multiply to the density to a hundred thousandth of a nat a value.

    With `ols`, log_prob leaves out the first two values, and `code` gives all numbers as much for these.
    """
    model = model_of(300.0, estimator)
    rng = torch.Generator().manual_seed(0)
    x = model.generate(torch.randn(3, 60, generator=rng, dtype=torch.float64)).round().detach()
    told = {**terms(x), "low": int(x.min()) - 2000, "high": int(x.max()) + 2000}  # the tails are far from any value

    made, chances = walked(model, model.symbols(x, **told), told)
    each = [p.gather(1, s[:, None])[:, 0].log() for p, s in zip(chances, model.symbols(x, **told).T, strict=True)]
    counted = each if estimator == "exact" else each[2:]

    assert torch.equal(made, x)
    assert made.dtype == torch.float64
    torch.testing.assert_close(torch.stack(counted).sum(0), model.log_prob(x).detach(), rtol=0, atol=60e-5)
    if estimator == "ols":
        assert all(torch.equal(p, uniform(3, told["low"], told["high"])) for p in chances[:2])


def test_a_code_may_be_longer_than_the_series_that_the_model_was_fitted_to() -> None:
    x = torch.randint(-5, 90, (1, 1, 130), generator=torch.Generator().manual_seed(1)).double()
    model, told = model_of(20.0, "ols"), terms(x)

    assert told == {"low": int(x.min()), "high": int(x.max()), "length": 130}
    assert torch.equal(walked(model, model.symbols(x, **told), told)[0], x)
    assert model.code_terms(x) == told
    assert "code" in AR.capabilities()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1.0, 2.5, 3.0], r"there is 2\.5 in the series: only whole numbers are coded, so scale or round it"),
        ([0.0, float(MOST)], "runs from 0 to 65,536: a code takes 65,536 whole numbers at most"),
        ([2.0**24, 2.0**24 - 2], "reaches 16,777,216: whole numbers are exact below 16,777,216 here"),
        ([1.0, float("nan")], "there is nan in the series"),
    ],
)
def test_series_that_are_no_whole_numbers_or_span_too_many_are_refused(values: list[Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        terms(torch.tensor([[values]]))
