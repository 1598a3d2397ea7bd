"""How far forecasts are off: windows of a split without their last values, forecast and held against them.

Shapes: N windows, T their length, S steps ahead.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gen.component import component, option
from gen.errors import CommandError
from gen.evaluate import Evaluation, Measured
from gen.interfaces import Metric
from gen.types import Batch
from gen_series.chart import BLUE, ORANGE, Chart

__all__ = ["ForecastError"]

_BEFORE = 3  # a fan shows so many times as many values before it as there are steps


@component
class ForecastError(Metric):
    """Root mean squared error of forecasts of the last `steps` values of each window from the values before them.

    In the units of the data as the model sees them; `original` is the error on the scale before log, differences and
    standardisation. `coverage` is the share of values inside the intervals, where the model has some. The windows must
    end with at least `steps` values of the split (`data.ahead`), or the forecasts are of training values. Pictures: the
    forecasts one step ahead over the split, and of several steps the fan from the first window, on the original scale
    (without intervals beyond the lag of a difference, where errors add up).
    """

    needs = ("forecast",)
    steps: int = option(1, min=1, max=10_000, doc="values S that are forecast at once")
    level: float = option(0.95, above=0, below=1, doc="probability of the intervals")

    def measure(self, evaluation: Evaluation) -> Measured:
        model: Any = evaluation.model
        length = evaluation.domain.shape[-1]
        if self.steps >= length:
            raise CommandError(f"series/forecast-error: steps {self.steps} leave nothing of windows of {length} values")
        intervals = hasattr(model, "intervals")

        def one(batch: Batch) -> Tensor:
            known, true = batch.x[..., : -self.steps], batch.x[..., -self.steps :]
            mean = model.forecast(known, self.steps).view(true.shape)
            low, high = model.intervals(known, self.steps, self.level) if intervals else (mean, mean)
            found = [true, mean, low.view(true.shape), high.view(true.shape)]
            return torch.stack([part.flatten(1, -2) for part in found], 1).double()  # [B, 4, rows, S]

        rows = evaluation.rows(one)  # [N, 4, rows, S]
        true, mean, low, high = rows.unbind(1)
        errors = mean - true
        parts = {"mean_absolute": float(errors.abs().mean())}
        if intervals:
            parts["coverage"] = float(((true >= low) & (true <= high)).double().mean())
            parts["interval"] = float((high - low).mean())
        timeline: Any = evaluation.split.rows
        if hasattr(timeline, "back"):
            parts["original"] = _original(timeline, mean[:, 0], true[:, 0], length - self.steps)
        pictures = {}
        if hasattr(timeline, "starts"):
            pictures["one-step"] = self._followed(timeline, rows)
            if self.steps > 1:
                pictures["fan"] = self._fan(timeline, rows[0])
        value = float(errors.square().mean().sqrt())
        return Measured(value, "root mean square", parts, {"steps": self.steps, "windows": len(rows)}, pictures)

    def _followed(self, timeline: Any, rows: Tensor) -> Tensor:
        """The first forecast of every window, over time."""
        at = timeline.starts[: len(rows)] + timeline.spec.shape[-1] - self.steps + timeline.scale.lost
        true, mean, low, high = rows[:, :, 0, 0].unbind(1)
        chart = Chart("one step ahead", (float(at[0]), float(at[-1])), _range(rows[:, :, 0, 0]))
        if len(at) > 1:
            chart.band(at, low, high, f"{self.level:.0%}")
            chart.line(at, mean, ORANGE, "forecast", 2)
            chart.line(at, true, BLUE, "data")
        return chart.picture()

    def _fan(self, timeline: Any, row: Tensor) -> Tensor:
        """The forecasts of the first window, on the original scale, and what came before."""
        known = timeline.spec.shape[-1] - self.steps
        end = int(timeline.starts[0]) + known + timeline.scale.lost
        true, mean, low, high = (timeline.back(part[0], 0, known) for part in row)
        before = timeline.original[max(0, end - max(40, _BEFORE * self.steps)) : end]
        at = torch.arange(end - len(before), end + self.steps)
        ahead = torch.arange(end - 1, end + self.steps)
        whole = torch.cat([before, true])
        title = f"{self.steps} steps ahead"
        straight = min(timeline.scale.lags, default=self.steps) >= self.steps  # beyond a lag errors add up
        chart = Chart(title, (float(at[0]), float(at[-1])), _range(torch.cat([whole, mean, *([low, high] * straight)])))
        last = before[-1:]
        if straight:
            chart.band(ahead, torch.cat([last, low]), torch.cat([last, high]), f"{self.level:.0%}")
        chart.line(at, whole, BLUE, "data")
        chart.line(ahead, torch.cat([last, mean]), ORANGE, "forecast", 2)
        return chart.picture()


def _range(values: Tensor) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _original(timeline: Any, mean: Tensor, true: Tensor, known: int) -> float:
    """The root mean squared error on the original scale, of forecasts [N, S]."""
    squares = [
        (timeline.back(mean[i], i, known) - timeline.back(true[i], i, known)).square().mean() for i in range(len(mean))
    ]
    return float(torch.stack(squares).mean().sqrt())
