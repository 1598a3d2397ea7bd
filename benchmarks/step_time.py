"""A training step of gen beside a plain PyTorch loop over DataLoader(TensorDataset) with Adam, in one process.

Rounds are interleaved (raw, gen, raw, gen, …), so that a drift of the machine meets both; the figure is the median of
the per-round ratios. Networks, loss and data are the same; gen runs its whole loop, guard and log included. `bare` is
the model's forward, backward and fused update on one fixed batch: what is left of gen's step is framework and data.
"""

from __future__ import annotations

import functools
import statistics
import tempfile
from pathlib import Path
from typing import Any

import torch

from benchmarks.loops import Steps, images, interleaved, over_images, plain_batches, whole_loop
from gen.recipe.recipe import Recipe
from gen.types import Batch, Progress

BATCH = 128
MLP = {"encoder": {"use": "nets/mlp-encoder", "hidden": [32]}, "decoder": {"use": "nets/mlp-decoder", "hidden": [32]}}
CONV = {
    "encoder": {"use": "nets/conv-encoder", "width": 96, "depth": 2},
    "decoder": {"use": "nets/conv-decoder", "width": 96, "depth": 2},
}
CASES = [
    ("MLP VAE, fp32", MLP, {}, 200, 0.85),
    ("conv VAE, fp32", CONV, {}, 12, 1.00),
    ("conv VAE, fp32, channels-last", CONV, {"channels_last": True}, 12, 1.00),
    ("conv VAE, bf16", CONV, {"precision": "bf16"}, 12, 0.70),
    ("conv VAE, bf16, channels-last", CONV, {"precision": "bf16", "channels_last": True}, 12, 0.70),
]
ROUNDS = 9


@functools.cache
def _pixels() -> torch.Tensor:
    return images(12_800, (1, 28, 28))


def main() -> None:
    threads = torch.get_num_threads()
    print(
        f"torch {torch.__version__}, {threads} threads, batch {BATCH}, {ROUNDS} interleaved rounds after one to warm up"
    )
    for name, parts, train, steps, bar in CASES:
        with tempfile.TemporaryDirectory() as folder:
            _case(name, parts, train, steps, bar, Path(folder))


def _case(name: str, parts: dict[str, Any], train: dict[str, Any], steps: int, bar: float, folder: Path) -> None:
    recipe = Recipe.parse(
        {
            "gen": 1,
            "name": "step-time",
            "data": {"use": "data/digits", "batch": BATCH},
            "model": {"use": "vae/vae", "latent": 20, **parts},
            "optim": {"all": {"use": "adam", "lr": 1e-4}},
            "train": {"steps": 10**9, "log": 50, **train},
            "save": {"every": 10**9},
        }
    )
    precision, channels_last = train.get("precision", "fp32"), train.get("channels_last", False)
    gen, raw = whole_loop(over_images(recipe, _pixels()), folder), _raw(recipe)
    bare = _bare(recipe, precision, channels_last)
    times = interleaved(ROUNDS, {"raw": lambda: raw(steps), "gen": lambda: gen(steps), "bare": lambda: bare(steps)})
    ratios = [g / r for g, r in zip(times["gen"], times["raw"], strict=True)]
    shares = [max(0.0, 1 - b / g) for g, b in zip(times["gen"], times["bare"], strict=True)]
    ratio = statistics.median(ratios)
    raw_ms, gen_ms = (1e3 * statistics.median(times[label]) / steps for label in ("raw", "gen"))
    print(
        f"{name:<30} {_parameters(recipe):>9,} parameters  raw {raw_ms:7.2f} ms  "
        f"gen {gen_ms:7.2f} ms  ratio {ratio:.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f})  bar {bar:.2f} {'ok' if ratio <= bar else 'ABOVE'}  "
        f"framework and data {100 * statistics.median(shares):.0f} %"
    )


def _parameters(recipe: Recipe) -> int:
    return sum(p.numel() for p in over_images(recipe, _pixels()).model.parameters())


def _raw(recipe: Recipe) -> Steps:
    model: Any = over_images(recipe, _pixels()).model.train()
    phase = model.phases()[0]
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    batches = plain_batches(_pixels(), BATCH)

    def run(steps: int) -> None:
        for _ in range(steps):
            x = next(batches)
            loss = phase.loss(Batch(x, None, None), Progress(0, 1)).total  # type: ignore[arg-type]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return run


def _bare(recipe: Recipe, precision: str, channels_last: bool) -> Steps:
    model: Any = over_images(recipe, _pixels()).model.train()
    if channels_last:
        model.to(memory_format=torch.channels_last)
    phase = model.phases()[0]
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)
    batch = Batch(_pixels()[:BATCH].float() / 127.5 - 1, None, torch.arange(BATCH))

    def run(steps: int) -> None:
        for _ in range(steps):
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                loss = phase.loss(batch, Progress(0, 1)).total
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return run
