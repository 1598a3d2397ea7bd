"""A step of a DCGAN (both players) in gen beside a plain PyTorch loop with two Adams, in one process, interleaved.

The plain loop is the usual one: a DataLoader over float images, samples made once, the discriminator updated on real
and generated ones, then the generator through it. Networks, loss and data are the same, 1x32x32, batch 64; gen runs its
whole loop, guard and log included. The figure is the median of the per-round ratios.

    OMP_NUM_THREADS=2 python -m benchmarks.gan_step_time
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from gen.building import build
from gen.console import Console
from gen.data import Split
from gen.processes import make_accelerator
from gen.recipe.recipe import Recipe
from gen.rows import TensorRows
from gen.rundir import RunFolder
from gen.session import Session
from gen.stopping import StopSignals
from gen.types import DataSpec, Domain

SAMPLES, BATCH, LATENT, SHAPE = 6_400, 64, 64, (1, 32, 32)
CASES: list[tuple[str, dict[str, Any], float]] = [
    ("fp32", {}, 0.95),
    ("bf16, channels-last", {"precision": "bf16", "channels_last": True}, 0.65),
]
STEPS, ROUNDS = 6, 7


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
    loops = {"raw": _raw(recipe), "gen": _gen(recipe, folder)}
    times: dict[str, list[float]] = {label: [] for label in loops}
    for round_ in range(ROUNDS + 1):
        for label, run in loops.items():
            start = time.perf_counter()
            run(STEPS)
            if round_:
                times[label].append((time.perf_counter() - start) / STEPS)
    ratios = [g / r for g, r in zip(times["gen"], times["raw"], strict=True)]
    ratio = statistics.median(ratios)
    print(
        f"{name:<20} raw {1e3 * statistics.median(times['raw']):7.1f} ms  "
        f"gen {1e3 * statistics.median(times['gen']):7.1f} ms  ratio {ratio:.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f})  bar {bar:.2f} {'ok' if ratio <= bar else 'ABOVE'}"
    )


def _images() -> torch.Tensor:
    rng = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (SAMPLES, *SHAPE), dtype=torch.uint8, generator=rng)


def _experiment(recipe: Recipe) -> Any:
    """The recipe's model over images of noise in memory, in place of the data set that the recipe names."""
    experiment = build(recipe)
    spec = DataSpec.single(Domain(SHAPE, levels=256))
    split = Split(TensorRows(spec, _images()), (), spec)
    model = experiment.builder.make(recipe.config["model"], path="model", data=spec)
    return attrs.evolve(experiment, train=split, held_out=split, model=model)


class _Enough(Exception):
    """Ends a round of gen's loop."""


def _gen(recipe: Recipe, folder: Path) -> Callable[[int], None]:
    accelerator = make_accelerator("cpu", recipe.config["train"]["precision"])
    session = Session(_experiment(recipe), accelerator, Console(quiet=True), [])
    session.folder, session.live = RunFolder(folder), []
    session.save_every = session.evaluate_every = session.sample_every = 10**9

    def run(steps: int) -> None:
        end = session.trainer.step + steps

        def after(step: int, signal: int | None) -> None:
            session._after(step, signal)
            if step == end:
                raise _Enough

        with suppress(_Enough):
            session.trainer.train(after, StopSignals())

    return run


def _raw(recipe: Recipe) -> Callable[[int], None]:
    """The loop of a tutorial, in fp32."""
    model = _experiment(recipe).model.train()
    generator, discriminator = model.generator, model.discriminator
    d_optimizer, g_optimizer = (
        torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in (discriminator, generator)
    )
    loader = DataLoader(TensorDataset(_images().float() / 127.5 - 1), batch_size=BATCH, shuffle=True, drop_last=True)

    def forever() -> Iterator[torch.Tensor]:
        while True:
            for (x,) in loader:
                yield x

    batches = forever()

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


if __name__ == "__main__":
    main()
