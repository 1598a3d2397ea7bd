"""What the cycle term holds: a classifier names digits after the way to inverted digits and back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import gen

pytest.importorskip("gen_data")

SMALL = ["model.a_to_b.width=6", "model.b_to_a.width=6", "model.a_to_b.blocks=1", "model.b_to_a.blocks=1"]
SMALL += ["model.discriminator_a.width=4", "model.discriminator_b.width=4", "optim.all.lr=5e-3", "train.steps=60"]


def returning(cycle: float, runs: Path) -> float:
    """The share of held-out digits that their nearest neighbour calls the same after the way there and back."""
    from gen_data.digits import Digits

    words = [f"model.cycle={cycle:g}", *SMALL, "~evaluate", "~sample"]
    made = gen.run("cyclegan-digits", words, runs=runs, device="cpu", quiet=True)
    model = gen.load(made.path).model
    (known, names), (x, labels) = (
        (rows := Digits().open(split, Path())).fetch(torch.arange(len(rows)))[:2] for split in ("train", "val")
    )
    with torch.no_grad():
        back = model.translate(model.translate(x, "b"), "a")
    nearest = torch.cdist(back.flatten(1), known.flatten(1)).argmin(1)
    return (names[nearest] == labels).float().mean().item()


def test_content_drifts_without_the_cycle_term(tmp_path: Path) -> None:
    """Measured: 0.84 and 0.12 (seed 0), 0.74 and 0.14, 0.42 and 0.11; one digit in ten is chance."""
    assert returning(10.0, tmp_path) > 0.3 > returning(0.0, tmp_path)
