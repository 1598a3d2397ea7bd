"""A step of a DCGAN (both players) in gen beside a plain PyTorch loop with two Adams, in one process, interleaved.

The plain loop is the usual one: a DataLoader over float images, samples made once, the discriminator updated on real
and generated ones, then the generator through it. Networks, loss and data are the same, 1x32x32, batch 64; gen runs its
whole loop, guard and log included. The figure is the median of the per-round ratios.

    OMP_NUM_THREADS=2 python -m benchmarks gan-step-time
"""

from __future__ import annotations

import functools
import statistics
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

from benchmarks.loops import Steps, images, interleaved, over_images, plain_batches, whole_loop
from gen.recipe.recipe import Recipe

BATCH, LATENT, SHAPE = 64, 64, (1, 32, 32)
CASES: list[tuple[str, dict[str, Any], float]] = [
    ("fp32", {}, 0.95),
    ("bf16, channels-last", {"precision": "bf16", "channels_last": True}, 0.65),
]
STEPS, ROUNDS = 6, 7


@functools.cache
def _pixels() -> torch.Tensor:
    return images(6_400, SHAPE)


def main() -> None:
    print(
        f"DCGAN {SHAPE}, batch {BATCH}: torch {torch.__version__}, {torch.get_num_threads()} threads, {ROUNDS} "
        f"interleaved rounds of {STEPS} steps after one to warm up"
    )
    for name, train, bar in CASES:
        with tempfile.TemporaryDirectory() as folder:
            _case(name, _recipe(train), bar, Path(folder))


def _recipe(train: dict[str, Any]) -> Recipe:
    return Recipe.parse(
        {
            "gen": 1,
            "name": "gan-step-time",
            "data": {"use": "data/digits", "batch": BATCH},
            "model": {
                "use": "gan/gan",
                "latent": LATENT,
                "generator": {"use": "gan/dcgan-generator", "width": 64},
                "discriminator": {"use": "gan/dcgan-discriminator", "width": 64, "norm": "batch"},
            },
            "optim": {"all": {"use": "adam", "lr": 2e-4, "betas": [0.5, 0.999]}},
            "train": {"steps": 10**9, "log": 50, **train},
            "save": {"every": 10**9},
        }
    )


def _case(name: str, recipe: Recipe, bar: float, folder: Path) -> None:
    raw, gen = _raw(recipe), whole_loop(over_images(recipe, _pixels()), folder)
    times = interleaved(ROUNDS, {"raw": lambda: raw(STEPS), "gen": lambda: gen(STEPS)})
    ratios = [g / r for g, r in zip(times["gen"], times["raw"], strict=True)]
    ratio = statistics.median(ratios)
    print(
        f"{name:<20} raw {1e3 * statistics.median(times['raw']) / STEPS:7.1f} ms  "
        f"gen {1e3 * statistics.median(times['gen']) / STEPS:7.1f} ms  ratio {ratio:.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f})  bar {bar:.2f} {'ok' if ratio <= bar else 'ABOVE'}"
    )


def _raw(recipe: Recipe) -> Steps:
    """The loop of a tutorial, in fp32."""
    model = over_images(recipe, _pixels()).model.train()
    generator, discriminator = model.generator, model.discriminator
    d_optimizer, g_optimizer = (
        torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in (discriminator, generator)
    )
    batches = plain_batches(_pixels(), BATCH)

    def run(steps: int) -> None:
        for _ in range(steps):
            x = next(batches)
            fake = generator(torch.randn(len(x), LATENT))
            loss = F.softplus(-discriminator(x)).mean() + F.softplus(discriminator(fake.detach())).mean()
            d_optimizer.zero_grad()
            loss.backward()
            d_optimizer.step()
            loss = F.softplus(-discriminator(fake)).mean()
            g_optimizer.zero_grad()
            loss.backward()
            g_optimizer.step()

    return run
