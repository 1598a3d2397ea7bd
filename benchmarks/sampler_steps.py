"""How far from the data five samplers end on a budget of network calls: Fréchet distance and coverage against NFE.

    python -m benchmarks sampler-steps RUN --ruler runs/classifier-digits

NFE (network evaluations per sample) is counted, not computed: Heun's method asks the network twice a step, so that on
a budget it takes half the steps. All start from the same noise, and keep the estimates of x within the range of the
data. A model that was told the labels draws every class as often.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from benchmarks.denoisers import Measuring, add_measuring, counted
from benchmarks.drawing import Curves, beside
from benchmarks.figures import Figure, at_least, parser_of, show, trained

__all__ = ["main"]

SAMPLERS = ("ddim", "euler", "heun", "dpm-solver", "unipc")
BUDGETS = (5, 10, 20, 50, 100)

Found = dict[str, list[tuple[int, float, float]]]
"""By sampler, for every budget: NFE, Fréchet distance, coverage."""


def main(words: Sequence[str] = ()) -> int:
    """Exit status 0, or 2 where the run cannot be measured so."""
    parser = parser_of("sampler-steps", "Fréchet distance and coverage of five samplers by NFE")
    add_measuring(parser)
    parser.add_argument(
        "--budgets", nargs="+", type=at_least(1), default=BUDGETS, metavar="NFE", help="of network calls per sample"
    )
    parser.add_argument(
        "--grid", choices=("time", "trailing", "log-snr", "karras"), help="of all samplers (each sampler's own)"
    )
    return show("diffusion-steps", parser, words, _figure)


def steps_within(sampler: str, budget: int) -> int:
    """The steps that cost `budget` network calls or, by Heun's method, one less where the budget is even."""
    return (budget + 1) // 2 if sampler == "heun" else budget


def _figure(args: argparse.Namespace) -> Figure:
    measuring, budgets = Measuring.open(args), sorted(set(args.budgets))
    found: Found = {}
    for name in SAMPLERS:
        found[name] = []
        for budget in budgets:
            nfe, measured = _measure(measuring, name, budget, args)
            card = measured["fd"].card
            found[name].append((nfe, measured["fd"].value, measured["dc"].value))
            print(f"{name}: NFE {nfe}  fd {found[name][-1][1]:.3f}  coverage {found[name][-1][2]:.3f}", file=sys.stderr)
    head = ["sampler", *(f"NFE {budget}" for budget in budgets)]
    distances = [
        [name, *(_cell(one[1], one[0], at) for one, at in zip(row, budgets, strict=True))]
        for name, row in found.items()
    ]
    covered = [[name, *(f"{one[2]:.3f}" for one in row)] for name, row in found.items()]
    grid = f"the grid {args.grid}" if args.grid else "each its own grid"
    below = [
        "Above Fréchet distances (the lower the better; in brackets the NFE where it is not the column's), then "
        f"coverage (the higher). The same noise for all, {grid}, estimates of x clipped.",
        measuring.said(card),
        trained(args.run),
    ]
    name = measuring.loaded.config["model"]["use"]
    tables = [[head, *distances], [head, *covered]]
    return Figure(f"Steps against quality, {name}", tables, below, {"plot": _plot(found, budgets)})


def _cell(distance: float, nfe: int, budget: int) -> str:
    return f"{distance:.2f}" + (f" ({nfe})" if nfe != budget else "")


def _measure(measuring: Measuring, name: str, budget: int, args: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    """The NFE that were counted, and what was measured."""
    recipe = {"use": f"diffusion/{name}", "steps": steps_within(name, budget), "clip": True}
    recipe |= {"grid": args.grid} if args.grid else {}
    sampler = measuring.loaded.builder.make(recipe, path=name)
    network: Any = measuring.loaded.model
    with counted(network.denoiser) as rows:
        measured, _ = measuring.of(name, sampler)
    return round(sum(rows) / args.count), measured


def _plot(found: Found, budgets: Sequence[int]) -> Any:
    """Both figures against NFE, side by side [3, H, W]."""
    charts = []
    least = min(one[0] for row in found.values() for one in row)
    axis = [least, *budgets[1:]] if len(budgets) > 1 else [least, 2 * least]
    for title, number, log in (("Frechet distance", 1, True), ("coverage", 2, False)):
        values = [max(one[number], 1e-6) for row in found.values() for one in row]
        chart = Curves(title, axis, (min(values), max(values)), log=log, falls=log)
        chart.axis("NFE, network calls per sample")
        for name, row in found.items():
            chart.curve([(one[0], max(one[number], 1e-6)) for one in row], name)
        charts.append(chart.picture())
    return beside([charts])
