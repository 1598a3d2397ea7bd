"""Axes: the frame that shows a chart's values, its ticks, and how its numbers are written."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import attrs

from gen.report.series import Chart

__all__ = ["Axis", "axis_of", "figure", "spread", "step_axis", "step_text", "widest"]

SETTLED = 0.05  # the first share of the steps may leave the frame, where it would flatten the rest
FLATTENED = 3.0
HUGE = 1e100


@attrs.frozen
class Axis:
    """A linear or logarithmic map from [low, high] to [0, 1], with its ticks."""

    low: float
    high: float
    log: bool
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Where a value stands: 0 at `low`, 1 at `high`; values beyond the frame lie beyond."""
        if not self.log:
            return (value - self.low) / (self.high - self.low)
        if value <= 0:
            return -1.0
        return math.log(value / self.low) / math.log(self.high / self.low)


def axis_of(chart: Chart, log: bool) -> tuple[Axis, float | None]:
    """The axis of a chart's values, and the greatest value where the beginning was cut off."""
    values = _values(chart)
    settled = _values(chart, skip=SETTLED)
    cut = None
    if not log and len(settled) >= 20 and max(values) - min(values) > FLATTENED * (max(settled) - min(settled)):
        cut = max(values) if max(values) > max(settled) else None
        values = settled if cut is not None else values
    low, high = min(values), max(values)
    if log:
        low, high = (low / 1.25, high * 1.25) if low == high else (low, high)
        margin = (high / low) ** 0.05
        return Axis(low / margin, high * margin, True, _log_ticks(low / margin, high * margin)), None
    if low == high:
        low, high = low - abs(low) * 0.1, high + (abs(high) * 0.1 or 1.0)
    margin = 0.05 * (high - low)
    low = 0.0 if 0 <= low < margin else low - margin
    return Axis(low, high + margin, False, _ticks(low, high + margin)), cut


def step_axis(chart: Chart) -> Axis:
    """The axis of the steps, from the first that was drawn (0 where that is near) to the last."""
    steps = [step for curve in chart.curves for step, _ in curve.points]
    low, high = min(steps), max(steps)
    low = 0.0 if low < 0.25 * high else low
    low, high = (low - 1, high + 1) if low == high else (low, high)
    return Axis(low, high, False, tuple(tick for tick in _ticks(low, high) if tick == int(tick)))


def spread(chart: Chart, settled: bool = False) -> float:
    """How often the least value fits into the greatest; 0 where a logarithmic axis is impossible or says nothing.

    Args:
        settled: without the beginning.
    """
    values = _values(chart)
    if not values or min(values) < 1 / HUGE or max(values) > HUGE:
        return 0.0
    values = _values(chart, skip=SETTLED) or values if settled else values
    return max(values) / min(values)


def figure(value: object) -> str:
    """A number for people: five digits, thousands apart; – where there is none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return "–"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**15 else f"about 10^{len(str(abs(value))) - 1}"
    if value == int(value) if math.isfinite(value) and abs(value) < 1e15 else False:
        return f"{int(value):,}"
    return re.sub(r"e([+-])0*", lambda found: f"e{found[1].strip('+')}", f"{value:.5g}")


def step_text(step: float) -> str:
    """A step on an axis: 800, 2,500, 40k, 1.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(step) >= size:
            return f"{step / (1e3 if letter == 'k' else size):g}{letter}"
    return f"{step:,.0f}"


def _values(chart: Chart, skip: float = 0.0) -> list[float]:
    """The finite values of all curves, bounds included, without those of the first `skip` of the steps."""
    steps = [step for curve in chart.curves for step, _ in curve.points]
    start = min(steps) + skip * (max(steps) - min(steps))
    points = [point for curve in chart.curves for part in (curve.points, curve.low, curve.high) for point in part]
    return [value for step, value in points if math.isfinite(value) and (not skip or step > start)]


def _ticks(low: float, high: float, about: int = 6) -> tuple[float, ...]:
    """Round numbers from `low` to `high`, 1, 2 or 5 times a power of ten apart."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    size = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.85)
    first, last = math.ceil(low / size - 1e-9), math.floor(high / size + 1e-9)
    return tuple(float(f"{number * size:.12g}") for number in range(first, min(last, first + 20) + 1))


def _log_ticks(low: float, high: float) -> tuple[float, ...]:
    """Powers of ten; with 2 and 5 times them, then round numbers, where those are too few."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1,), (1, 3), (1, 2, 5)):
        found = [10.0**power * factor for power in powers for factor in factors]
        inside = [tick for tick in found if low <= tick <= high]
        if len(inside) >= 3:
            return tuple(inside[:: math.ceil(len(inside) / 7)])
    return tuple(tick for tick in _ticks(low, high) if tick > 0)


def widest(labels: Sequence[str]) -> int:
    """The letters of the longest label."""
    return max(map(len, labels), default=0)
