"""What keeps the content of a translation: CycleGAN between digits and inverted ones, with and without its cycle term.

    python -m benchmarks content-drift [steps]      four runs, some four minutes on an idle core at 400 steps

A nearest-neighbour classifier (trained on the training digits) names the held-out digits after a translation to
inverted digits (`class kept`: the translation, turned back by hand, is the same digit) and after the way there and back
(`class returns`). Two generators: without a halving, whose maps are near the pixels, and with one.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.figures import at_least
from gen import run
from gen.loading import load
from gen_data.digits import Digits

__all__ = ["main", "measure"]

CASES = [(depth, cycle) for depth in (0, 1) for cycle in (10.0, 0.0)]


def digits(split: str) -> tuple[Tensor, Tensor]:
    """Images [N, 1, 8, 8] and labels [N]."""
    rows = Digits().open(split, Path())
    x, labels, _ = rows.fetch(torch.arange(len(rows)))
    return x, labels


@torch.no_grad()
def measure(path: Path) -> dict[str, float]:
    """Shares of the held-out digits, and absolute errors per dimension."""
    (known, names), (x, labels) = digits("train"), digits("val")
    model = load(path).model
    there = model.translate(x, "b")
    back = model.translate(there, "a")

    def kept(images: Tensor) -> float:
        nearest = torch.cdist(images.flatten(1), known.flatten(1)).argmin(1)
        return (names[nearest] == labels).float().mean().item()

    return {
        "class kept": kept(-there),
        "class returns": kept(back),
        "cycle error": (back - x).abs().mean().item(),
        "error to the truth": (there + x).abs().mean().item(),
    }


def main(words: Sequence[str] = ()) -> int:
    """Exit status 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks content-drift", description="what the cycle term does")
    parser.add_argument("steps", nargs="?", type=at_least(1), default=400, help="of each training (400)")
    steps = parser.parse_args(words).steps
    with tempfile.TemporaryDirectory() as runs:
        for depth, cycle in CASES:
            chosen = [f"train.steps={steps}", f"evaluate.every={steps}", f"model.cycle={cycle:g}"]
            chosen += [f"model.{name}.depth={depth}" for name in ("a_to_b", "b_to_a")]
            path = run("cyclegan-digits", chosen, runs=runs, device="cpu", quiet=True).path
            found = "  ".join(f"{name} {value:.3f}" for name, value in measure(path).items())
            print(f"halvings {depth}  cycle {cycle:g}  {found}", flush=True)
    return 0
