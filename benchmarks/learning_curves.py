"""What runs measured while they trained, against the samples they had seen.

    python -m benchmarks learning-curves RUN RUN … --of loss

Read from the folders of the runs: nothing is measured anew.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

from benchmarks.drawing import COLOURS, Curves
from benchmarks.figures import Figure, name_of, parser_of, show, trained
from gen.comparison import read_run
from gen.errors import CommandError
from gen.rundir import RunFolder

__all__ = ["main"]

MOST_RUNS = len(COLOURS)  # as many are told apart


def main(words: Sequence[str] = ()) -> int:
    """Exit status 0, or 2 where a run has no such curve."""
    parser = parser_of("learning-curves", "a figure of `evaluate` against the samples seen, of runs")
    parser.add_argument("runs", nargs="+", metavar="RUN", help=f"{MOST_RUNS} at most")
    parser.add_argument("--of", default="loss", metavar="LABEL", help="a label of evaluate.metrics or of a part (loss)")
    return show("learning-curves", parser, words, _figure)


def _figure(args: argparse.Namespace) -> Figure:
    if len(args.runs) > MOST_RUNS:
        raise CommandError(f"{len(args.runs)} runs were named, and the chart has room for {MOST_RUNS}")
    found = [(name_of(run), points_of(run, args.of)) for run in args.runs]
    values = [y for _, points in found for _, y in points]
    seen = [x for _, points in found for x, _ in points]
    chart = Curves(args.of, ticks(min(seen), max(seen)), (min(values), max(values)), log=False, falls=True)
    chart.axis("samples seen, thousands")
    rows = [["run", "samples seen", f"{args.of}, last", "least"]]
    for name, points in found:
        chart.curve(points, name)
        rows.append([name, f"{1000 * points[-1][0]:,.0f}", f"{points[-1][1]:.2f}", f"{min(y for _, y in points):.2f}"])
    return Figure("Learning curves", [rows], [trained(run) for run in args.runs], {"plot": chart.picture()})


def points_of(run: str, label: str) -> list[tuple[float, float]]:
    """(thousands of samples seen, value) of every evaluation of a run.

    Raises:
        CommandError: it was never measured while it trained, or not as a number.
    """
    batch = read_run(run).options["data.batch"]
    lines = [line for line in RunFolder.open(Path(run)).lines() if line.get("kind") == "evaluate"]
    points = [(line["step"] * batch / 1000, line[label]) for line in lines if line.get(label) is not None]
    if not points:
        labels = sorted({name for line in lines for name in line} - {"kind", "step"})
        raise CommandError(f"{run} has no {label} measured while it trained; it has {', '.join(labels) or 'nothing'}")
    return points


def ticks(low: float, high: float) -> list[float]:
    """1, 2, 5, 10, … from the last one not above `low` to the first one beyond it that reaches `high`."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 2)
    found = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    first = max(i for i, tick in enumerate(found) if tick <= low)
    last = next(i for i, tick in enumerate(found) if tick >= high and i > first)
    return found[first : last + 1]
