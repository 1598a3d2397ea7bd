"""Forecasters of any autoregressor, and the two metrics, against autoregressions known exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from scipy import stats

from gen.data import Split
from gen.errors import ShapeError
from gen.evaluate import Evaluation
from gen.processes import make_accelerator
from gen.types import Batch, DataSpec, Domain, Progress
from gen_sdk.oracles.autoregression import Autoregression
from gen_series.ar import AR
from gen_series.forecast_error import ForecastError
from gen_series.forecaster import Forecaster
from gen_series.networks.recurrent import Recurrent
from gen_series.networks.transformer import Transformer
from gen_series.residuals import Residuals, autocorrelation, ljung_box
from gen_series.scales import Scale
from gen_series.windows import open_windows

TRUTH = Autoregression(torch.tensor([0.6, -0.5], dtype=torch.float64), 0.7, mean=0.4)
NETWORKS = [Recurrent, Transformer]
CUT: dict[str, Any] = {"window": None, "stride": 1, "ahead": 4, "val": 80, "test": 80, "standardize": False}


def _rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _forecaster(network: Any, length: int = 12) -> Forecaster:
    torch.manual_seed(0)
    net = network(in_shape=(1, length), out_shape=(2, length), width=16)
    return Forecaster(data=DataSpec.single(Domain((1, length), "series")), network=net).eval()


@pytest.mark.parametrize("network", NETWORKS)
def test_noise_comes_back_as_residuals(network: Any) -> None:
    model = _forecaster(network)
    z = torch.randn(3, 12, generator=_rng())

    torch.testing.assert_close(model.residuals(model.generate(z)), z, atol=1e-4, rtol=0)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_density_is_that_of_its_residuals(network: Any) -> None:
    model = _forecaster(network)
    x = torch.randn(2, 1, 12, generator=_rng())
    jacobian = torch.autograd.functional.jacobian(lambda one: model.residuals(one[None, None])[0], x[0, 0])
    normal = -0.5 * (model.residuals(x).square() + torch.log(torch.tensor(2 * torch.pi))).sum(1)

    torch.testing.assert_close(model.log_prob(x)[0], normal[0] + jacobian.diagonal().log().sum(), atol=1e-4, rtol=0)


@pytest.mark.parametrize("network", NETWORKS)
def test_forecasts_depend_on_the_last_values_alone_and_lie_in_their_intervals(network: Any) -> None:
    model = _forecaster(network)
    x = torch.randn(2, 1, 30, generator=_rng())
    low, high = model.intervals(x, 3)

    torch.testing.assert_close(model.forecast(x[..., -11:], 3), model.forecast(x, 3))
    assert (low < model.forecast(x, 3)).all()
    assert (model.forecast(x, 3) < high).all()


@pytest.mark.parametrize("network", NETWORKS)
def test_training_approaches_the_entropy_of_the_process(network: Any) -> None:
    model = _forecaster(network).train()
    x = TRUTH.sample(128, 12, _rng(1)).float()[:, None]
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(40):
        optimizer.zero_grad()
        model.loss(Batch(x, None, torch.arange(128)), Progress(0, 1)).total.backward()
        optimizer.step()
    fresh = TRUTH.sample(512, 12, _rng(2))

    gap = (TRUTH.log_prob(fresh).mean() - model.log_prob(fresh.float()[:, None]).mean()) / 12
    assert 0 < gap < 0.15, "nats per value"


@pytest.mark.parametrize("network", NETWORKS)
def test_networks_refuse_outputs_that_are_no_factors(network: Any) -> None:
    with pytest.raises(ShapeError, match=r"puts out \(K C, …\) with the same sides"):
        network(in_shape=(2, 8), out_shape=(3, 8))
    with pytest.raises(ShapeError, match=r"series/forecaster takes one series of one channel"):
        Forecaster.wire(DataSpec.single(Domain((8,), "vector")))


def test_a_width_that_heads_do_not_divide_is_refused() -> None:
    with pytest.raises(ShapeError, match="width 10 is not divisible by 4 heads"):
        Transformer(width=10, in_shape=(1, 8), out_shape=(2, 8))


@pytest.fixture
def evaluation() -> Callable[[], Evaluation]:
    """The true model against 400 values of its process, the last 80 held out."""

    def make() -> Evaluation:
        x = TRUTH.sample(1, 560, _rng(5))[0]
        splits = {name: open_windows(x, name, Scale(), **CUT) for name in ("train", "val")}
        train, val = (Split(rows, (), rows.spec) for rows in splits.values())
        model = AR(data=train.spec)
        model.solve([train.batch(torch.tensor([0]), None, torch.device("cpu"))])
        return Evaluation(
            model=model.eval(),
            split=val,
            split_name="val",
            seed=1,
            batch=16,
            count=0,
            accelerator=make_accelerator("cpu", "fp32"),
            progress=Progress(1, 1),
            train=train,
        )

    return make


@pytest.mark.parametrize("steps", [1, 4])
def test_forecast_errors_are_as_large_as_the_process_makes_them(
    steps: int, evaluation: Callable[[], Evaluation]
) -> None:
    found = ForecastError(steps=steps).measure(evaluation())
    wanted = TRUTH.forecast(torch.zeros(1, 2).double(), steps)[1].mean().sqrt()

    assert found.value == pytest.approx(float(wanted), rel=0.25)
    assert found.parts["original"] == pytest.approx(found.value, rel=1e-5)
    assert 0.88 <= found.parts["coverage"] <= 1
    assert list(found.pictures) == ["one-step", "fan"][: min(steps, 2)]
    assert all(image.shape == (3, 300, 720) for image in found.pictures.values())


def test_residuals_of_the_right_model_are_white_and_of_a_wrong_one_are_not(
    evaluation: Callable[[], Evaluation],
) -> None:
    right = evaluation()
    assert Residuals().measure(right).value > 0.01
    with torch.no_grad():
        right.model.weights.mul_(0)  # a model without memory

    assert Residuals().measure(right).value < 1e-6
    assert Residuals(of="split", lags=10).measure(right).card["residuals"] == 77


def test_the_test_of_ljung_and_box_is_statsmodels() -> None:
    diagnostic = pytest.importorskip("statsmodels.stats.diagnostic", reason="statsmodels is not installed")
    x = TRUTH.sample(1, 200, _rng(7))[0]
    theirs = diagnostic.acorr_ljungbox(x.numpy(), lags=[10], model_df=2)
    q, p, freedom = ljung_box(autocorrelation(x, 10), 200, 2)

    assert (q, p, freedom) == (
        pytest.approx(float(theirs["lb_stat"].iloc[0])),
        pytest.approx(float(theirs["lb_pvalue"].iloc[0]), abs=1e-12),
        8,
    )
    assert p == pytest.approx(stats.chi2.sf(q, 8))
