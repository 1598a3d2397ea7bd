"""What guidance does to samples of a model that was told the labels: the same noise and labels at growing weights.

    python -m benchmarks guidance-sweep RUN --weights 0 1 2 4 8

The weight w leads w times as far from the estimate without label as the plain one lies (Ho and Salimans 2022,
arXiv:2207.12598): 0 ignores the label, 1 is off. Accuracy is how often the classifier sees the label that was asked
for; coverage how much of the data is still reached.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from benchmarks.denoisers import Measuring, add_measuring, sampler_recipe, told
from benchmarks.drawing import enlarged, titled
from benchmarks.figures import Figure, parser_of, show, trained
from gen.errors import CommandError
from gen.pictures import grid, to_bytes
from gen.sampling import draw

__all__ = ["main"]

WEIGHTS = (0.0, 1.0, 2.0, 4.0, 8.0)
MOST = 100.0
ROUNDS = 2
"""Columns of the picture per class."""


def main(words: Sequence[str] = ()) -> int:
    """Exit status 0, or 2 where the run cannot be measured so."""
    parser = parser_of("guidance-sweep", "samples, distance and coverage by the weight of guidance")
    add_measuring(parser)
    parser.add_argument("--weights", nargs="+", type=_weight, default=WEIGHTS, metavar="W", help="(0 1 2 4 8)")
    parser.add_argument("--with", dest="sampler", metavar="SAMPLER", help="of the run's recipe, or a component")
    return show("diffusion-guidance", parser, words, _figure)


def _weight(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = -1.0
    if not 0 <= value <= MOST:
        raise argparse.ArgumentTypeError(f"takes numbers from 0 to {MOST:g}, got {word}")
    return value


def _figure(args: argparse.Namespace) -> Figure:
    measuring = Measuring.open(args)
    model: Any = measuring.loaded.model
    spec = model.data.cond
    if spec is None or not getattr(model, "conditional", False):
        raise CommandError(
            f"{args.run} was trained without labels, and guidance leads away from what is drawn without: train with "
            "model.conditional=true"
        )
    recipe = sampler_recipe(measuring.loaded, args.sampler)
    weights = sorted(set(args.weights))
    rows = [["w", "accuracy, %", "fd", "density", "coverage"]]
    strips: list[Tensor] = []
    for weight in weights:
        sampler = measuring.loaded.builder.make({**recipe, "guidance": weight}, path="sample")
        x, _ = draw(model, sampler, ROUNDS * spec.size, seed=args.seed, device=torch.device("cpu"))
        strips.append(x)
        measured, drawn = measuring.of("guided", sampler)
        parts = measured["dc"].parts
        figures = [measured["fd"].value, parts["density"], parts["coverage"]]
        rows.append([f"{weight:g}", _accuracy(measuring.body, drawn, spec.size), *(f"{one:.3f}" for one in figures)])
        print(" | ".join(rows[-1]), file=sys.stderr)
    below = [
        f"{told(recipe, sampler, without='guidance')}; the same noise at every weight w; w = 0 is told no label, w = 1 "
        f"is unguided. In the picture a row for every weight, the classes 0 to {spec.size - 1} {ROUNDS} times.",
        measuring.said(measured["fd"].card),
        trained(args.run),
    ]
    name = measuring.loaded.config["model"]["use"]
    return Figure(f"Guidance, {name}", [rows], below, {"sweep": _picture(strips, weights, model.data.domain)})


def _accuracy(body: Any, x: Tensor, classes: int) -> str:
    """In %; samples stand in the order of the classes, every one in turn. Nothing for features without a classifier."""
    if not hasattr(body, "scores"):
        return ""
    labels = torch.arange(len(x)) % classes
    with torch.no_grad():
        return f"{100 * (body.scores(body(x)).argmax(1) == labels).double().mean():.1f}"


def _picture(strips: Sequence[Tensor], weights: Sequence[float], domain: Any) -> Tensor:
    """A row of samples for every weight, [3, H, W]."""
    image = enlarged(grid(to_bytes(torch.cat(list(strips)), domain), len(strips[0])))
    row = image.shape[1] / len(weights)
    left = {round(row * (number + 0.5)): f"w = {weight:g}" for number, weight in enumerate(weights)}
    return titled(image, "", left)
