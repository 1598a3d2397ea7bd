"""Is there anything left to predict? The autocorrelation of residuals, and the test of Ljung and Box (1978).

    Q = n (n + 2) sum_{h=1..H} r_h^2 / (n - h)  ~  chi^2(H - K) where the residuals are white

r_h is the autocorrelation at lag h of n residuals, K the coefficients that were estimated.
"""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
from scipy.stats import chi2, kurtosis, skew
from torch import Tensor

from gen.component import component, option
from gen.errors import CommandError
from gen.evaluate import Evaluation, Measured
from gen.interfaces import Metric
from gen_series.chart import BLUE, Chart

__all__ = ["Residuals", "autocorrelation", "ljung_box"]


@component
class Residuals(Metric):
    """The p-value of Ljung and Box: small where residuals of one-step forecasts still depend on each other.

    Of a data set whose training split is one row, the residuals are those inside it; of windows, those at the end of
    each, which must follow each other (`stride: 1`). Parts: Q, the largest autocorrelation, moments, the largest root
    (of models that have one: below 1 is stationary). Pictures: the autocorrelations with the band of white noise, and
    the residuals over time.
    """

    needs = ("forecast",)
    better = "higher"
    excused: ClassVar[dict[str, str]] = {
        "order-of-samples-is-irrelevant": "its subject is the order: whether one value follows from those before",
        "worse-models-score-worse": "an error that is always the same leaves autocorrelations as they are",
    }
    lags: int = option(20, min=1, max=1000, doc="lags H")
    of: str = option("train", choices=("train", "split"), doc="residuals inside the training data, or of the held-out")

    def measure(self, evaluation: Evaluation) -> Measured:
        model: Any = evaluation.model
        residuals = self._residuals(evaluation, model)
        lags = min(self.lags, len(residuals) // 2 - 1)
        if lags < 1:
            raise CommandError(f"series/residuals: {len(residuals)} residuals are too few for autocorrelations")
        fitted = int(getattr(model, "chosen", 0)) if self.of == "train" else 0
        r = autocorrelation(residuals, lags)
        q, p, freedom = ljung_box(r, len(residuals), fitted)
        parts = {"q": q, "largest": float(r.abs().max()), "deviation": float(residuals.std())}
        parts |= {"skew": float(skew(residuals.numpy())), "kurtosis": float(kurtosis(residuals.numpy()))}
        if hasattr(model, "radius"):
            parts |= {"largest_root": model.radius, "order": float(model.chosen)}
        card = {"residuals": len(residuals), "lags": lags, "freedom": freedom, "of": self.of}
        pictures = {"acf": _bars(r, len(residuals)), "over-time": _over_time(residuals)}
        return Measured(p, "p-value", parts, card, pictures)

    def _residuals(self, evaluation: Evaluation, model: Any) -> Tensor:
        """[n] in the order of time, float64 on the CPU."""
        of = "train" if self.of == "train" else "real"
        errors = model.residuals if hasattr(model, "residuals") else partial(_last_error, model)
        found = evaluation.rows(lambda batch: errors(batch.x).double(), of)  # [N, n]
        return found[0] if len(found) == 1 else found[:, -1]


def _last_error(model: Any, x: Tensor) -> Tensor:
    """The error of the forecast of the last values, [B, rows]."""
    error: Tensor = (x[..., -1:] - model.forecast(x[..., :-1], 1)).flatten(1)
    return error


def autocorrelation(x: Tensor, lags: int) -> Tensor:
    """Autocorrelations [lags] of x [n] at the lags 1, 2, …, around its mean, divided by n."""
    y = x - x.mean()
    return torch.stack([(y[h:] * y[:-h]).sum() for h in range(1, lags + 1)]) / y.square().sum().clamp(min=1e-300)


def ljung_box(r: Tensor, n: int, fitted: int = 0) -> tuple[float, float, int]:
    """Q, its p-value and degrees of freedom, of autocorrelations r [H] of n residuals of `fitted` coefficients."""
    h = torch.arange(1, len(r) + 1)
    q = float(n * (n + 2) * (r.square() / (n - h)).sum())
    freedom = max(1, len(r) - fitted)
    return q, float(chi2.sf(q, freedom)), freedom


def _bars(r: Tensor, n: int) -> Tensor:
    edge = 1.96 / n**0.5
    reach = max(0.3, float(r.abs().max()), edge)
    chart = Chart(f"autocorrelation of {n} residuals", (0.0, len(r) + 1.0), (-reach, reach), height=240)
    ends = torch.tensor([0.0, len(r) + 1.0])
    chart.band(ends, torch.full((2,), -edge), torch.full((2,), edge), "white noise, 95%")
    chart.line(ends, torch.zeros(2), (0, 0, 0))
    chart.bars(torch.arange(1, len(r) + 1), r, BLUE)
    return chart.picture()


def _over_time(residuals: Tensor) -> Tensor:
    span = (float(residuals.min()), float(residuals.max()))
    chart = Chart("residuals in standard deviations", (0.0, float(len(residuals))), span, height=240)
    chart.line(torch.arange(len(residuals)), residuals, BLUE)
    return chart.picture()
