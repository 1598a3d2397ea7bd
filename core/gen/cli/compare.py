"""`gen compare RUN…`: one table of metrics, training time, size and differing options; `*` marks the best of a row."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gen.cli.table import table
from gen.comparison import RunRecord, best_of, differing, read_run
from gen.errors import CommandError

__all__ = ["add", "main"]


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run folders, or runs/NAME for its newest")


def main(args: argparse.Namespace) -> int:
    if len(args.runs) < 2:
        raise CommandError("gen compare takes two runs or more: gen compare runs/one runs/two")
    runs = [read_run(path) for path in args.runs]
    rows, notes = _metrics(runs)
    sizes = [
        ("training seconds", *(_figure(run.seconds) for run in runs)),
        ("weights and buffers", *("-" if run.numbers is None else f"{run.numbers:,}" for run in runs)),
    ]
    options = [(path, *(_text(run.options, path) for run in runs)) for path in differing(runs)]
    blank = [("", *("" for _ in runs))]
    head = [("", *(_name(run.path) for run in runs))]
    print(table([*head, *rows, *blank, *sizes, *(blank if options else []), *options], indent=""))
    for note in notes:
        print(f"\n{note}")
    return 0


def _metrics(runs: Sequence[RunRecord]) -> tuple[list[tuple[str, ...]], list[str]]:
    """A row for every metric and each of its parts, and why some are not ranked."""
    rows, notes = [], []
    for label in dict.fromkeys(label for run in runs for label in run.figures):
        best, why = best_of(label, runs)
        cells = [
            _figure(run.figures[label]["value"]) + ("*" if number == best else "") if label in run.figures else "-"
            for number, run in enumerate(runs)
        ]
        better = next(run.figures[label]["card"].get("better", "") for run in runs if label in run.figures)
        rows.append((f"{label} ({better} is better)" if better else label, *cells))
        figures = [run.figures.get(label, {}).get("parts", {}) for run in runs]
        for part in dict.fromkeys(name for figure in figures for name in figure):
            rows.append((f"  {part}", *(_figure(figure.get(part)) for figure in figures)))
        if why:
            notes.append(f"{label} is not ranked: {why}")
    return rows, notes


def _name(path: Path) -> str:
    return "/".join(path.parts[-2:])


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.5g}"


def _text(options: Any, path: str) -> str:
    return str(options[path]) if path in options else "-"
