"""From lines of metrics to charts: which curves stand together, and how many points of them are drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from gen.report.reading import RunFiles, finite, is_number

__all__ = ["Chart", "Curve", "charts", "not_finite", "thin"]

POINTS = 300
CHARTS = 40
CURVES = 24
SKIPPED = {"kind", "step", "images", "seconds", "file"}
LAST = ("lr", "images_per_s")  # of the machine rather than of the model

Point = tuple[float, float]


@attrs.frozen
class Curve:
    """Points (step, value) in order; a value that is not finite is a gap. `low` and `high`: bounds of what was thinned.

    Empty bounds: each point is a line of metrics.jsonl. `tone`: the number of its colour, else its place in the chart.
    `dashed`: the held-out values of a run beside others.
    """

    name: str
    points: tuple[Point, ...]
    low: tuple[Point, ...] = ()
    high: tuple[Point, ...] = ()
    tone: int | None = None
    dashed: bool = False


@attrs.frozen
class Chart:
    """Curves over the step. `left_out`: how many more there were."""

    title: str
    curves: tuple[Curve, ...]
    left_out: int = 0

    @property
    def machine(self) -> bool:
        """Whether it shows what the machine does (the learning rate, the speed), not the model."""
        return self.title.rpartition("/")[2] in LAST


def charts(runs: Sequence[RunFiles]) -> tuple[list[Chart], int]:
    """The charts of one run, or of several over each other, and how many were too many.

    A term of the loss and the same term on held-out data share a chart, and so do a metric's parts; the losses of
    several phases have one besides.
    """
    drawn = [_of_run(run, "" if len(runs) == 1 else run.title, tone) for tone, run in enumerate(runs)]
    titles = sorted(dict.fromkeys(title for found in drawn for title in found), key=_rank)
    whole = [(title, [curve for found in drawn for curve in found.get(title, ())]) for title in titles]
    made = [Chart(title, tuple(map(thin, curves[:CURVES])), max(0, len(curves) - CURVES)) for title, curves in whole]
    return made[:CHARTS], max(0, len(made) - CHARTS)


def thin(curve: Curve, most: int = POINTS) -> Curve:
    """At most about `most` points: means of neighbours, with their least and greatest value as bounds."""
    points = curve.points
    if len(points) <= most:
        return curve
    size = math.ceil(len(points) / most)
    groups = [points[i : i + size] for i in range(0, len(points), size)]
    middle, low, high = [], [], []
    for group in groups:
        values = [value for _, value in group if math.isfinite(value)]
        step = group[len(group) // 2][0]
        middle.append((step, sum(values) / len(values) if len(values) == len(group) else math.nan))
        if values:
            low.append((step, min(values)))
            high.append((step, max(values)))
    return attrs.evolve(curve, points=tuple(middle), low=tuple(low), high=tuple(high))


def not_finite(run: RunFiles) -> dict[str, list[int]]:
    """The steps at which a value was not finite, by its name."""
    found: dict[str, list[int]] = {}
    for line in (*run.train, *run.evaluated):
        for name, value in line.items():
            if is_number(value) and not math.isfinite(finite(value)):
                found.setdefault(name, []).append(line["step"])
    return found


def _of_run(run: RunFiles, prefix: str, tone: int) -> dict[str, list[Curve]]:
    """Title → curves. Alone, curves are called training and held out; beside others, by their run."""
    trained, measured = _values(run.train), _values(run.evaluated)
    split = str(_inner(run.config, "evaluate").get("split", "held out"))[:40]
    found: dict[str, list[Curve]] = {}

    def add(title: str, name: str, points: Sequence[Point]) -> None:
        whole = name if not prefix else prefix if name == "training" else f"{prefix}, {name}"
        curve = Curve(whole, tuple(points))
        if prefix:
            curve = attrs.evolve(curve, tone=tone, dashed=name != "training")
        found.setdefault(title, []).append(curve)

    losses = [name for name in trained if name.endswith("/loss")]
    if len(losses) > 1 and not prefix:
        for name in losses:
            add("losses of the phases", name, trained[name])
    for name, points in trained.items():
        add(name, "training", points)
    for name, points in measured.items():
        label, _, part = name.partition("/")
        if label and part in trained:
            add(part, split, points)
        elif label in measured and part and not prefix:
            add(f"{label}: parts ({split})", part, points)
        elif not _said_by_a_part(points, name, measured, trained):
            add(f"{name} ({split})", "training" if prefix else name, points)
    return found


def _said_by_a_part(
    points: Sequence[Point], name: str, measured: Mapping[str, Any], trained: Mapping[str, Any]
) -> bool:
    """Whether a metric's value is that of a term which already stands beside its training curve."""
    return any(
        other.partition("/")[0] == name and other.partition("/")[2] in trained and values == points
        for other, values in measured.items()
    )


def _values(lines: Iterable[Mapping[str, Any]]) -> dict[str, list[Point]]:
    """Name → points; of several lines of one step (a run went back and on) the last counts."""
    found: dict[str, dict[int, float]] = {}
    for line in lines:
        for name, value in line.items():
            if name not in SKIPPED and is_number(value):
                found.setdefault(name, {})[line["step"]] = finite(value)
    return {name: sorted((float(step), value) for step, value in steps.items()) for name, steps in found.items()}


def _rank(title: str) -> tuple[int, int]:
    """Losses first, then terms, metrics, and last what the machine did; stable within each."""
    name = title.partition(" (")[0]
    if title == "losses of the phases":
        return 0, 0
    if name.rpartition("/")[2] in LAST:
        return 3, LAST.index(name.rpartition("/")[2])
    return (2, 0) if title.endswith(")") else (1, 0 if name.endswith("/loss") else 1)


def _inner(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = config.get(name)
    return value if isinstance(value, Mapping) else {}
