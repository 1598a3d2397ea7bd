"""A training step of gen beside a plain PyTorch loop over DataLoader(TensorDataset) with Adam, in one process.

Rounds are interleaved (raw, gen, raw, gen, …), so that a drift of the machine meets both; the figure is the median of
the per-round ratios. Networks, loss and data are the same; gen runs its whole loop, guard and log included. `bare` is
the model's forward, backward and fused update on one fixed batch: what is left of gen's step is framework and data.
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
from gen.types import Batch, DataSpec, Domain, Progress

SAMPLES, BATCH = 12_800, 128
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
    mine = _gen(recipe, train.get("precision", "fp32"), folder)
    raw, bare = _raw(recipe), _bare(recipe, train.get("precision", "fp32"), train.get("channels_last", False))
    times: dict[str, list[float]] = {"raw": [], "gen": [], "bare": []}
    for round_ in range(ROUNDS + 1):
        for label, step in (("raw", raw), ("gen", mine), ("bare", bare)):
            start = time.perf_counter()
            step(steps)
            if round_:
                times[label].append((time.perf_counter() - start) / steps)
    ratios = [g / r for g, r in zip(times["gen"], times["raw"], strict=True)]
    shares = [max(0.0, 1 - b / g) for g, b in zip(times["gen"], times["bare"], strict=True)]
    ratio = statistics.median(ratios)
    print(
        f"{name:<30} {_parameters(recipe):>9,} parameters  raw {1e3 * statistics.median(times['raw']):7.2f} ms  "
        f"gen {1e3 * statistics.median(times['gen']):7.2f} ms  ratio {ratio:.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f})  bar {bar:.2f} {'ok' if ratio <= bar else 'ABOVE'}  "
        f"framework and data {100 * statistics.median(shares):.0f} %"
    )


def _images() -> torch.Tensor:
    return torch.randint(0, 256, (SAMPLES, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def _experiment(recipe: Recipe) -> Any:
    """The recipe's model over 28x28 images of noise in memory, in place of the data set that the recipe names."""
    experiment = build(recipe)
    spec = DataSpec.single(Domain((1, 28, 28), levels=256))
    split = Split(TensorRows(spec, _images()), (), spec)
    model = experiment.builder.make(recipe.config["model"], path="model", data=spec)
    return attrs.evolve(experiment, train=split, held_out=split, model=model)


def _parameters(recipe: Recipe) -> int:
    return sum(p.numel() for p in _experiment(recipe).model.parameters())


class _Enough(Exception):
    """Ends a round of gen's loop."""


def _gen(recipe: Recipe, precision: str, folder: Path) -> Callable[[int], None]:
    session = Session(_experiment(recipe), make_accelerator("cpu", precision), Console(quiet=True), [])
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
    model: Any = _experiment(recipe).model.train()
    phase = model.phases()[0]
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    loader = DataLoader(TensorDataset(_images().float() / 127.5 - 1), batch_size=BATCH, shuffle=True, drop_last=True)

    def forever() -> Iterator[torch.Tensor]:
        while True:
            for (x,) in loader:
                yield x

    batches = forever()

    def run(steps: int) -> None:
        for _ in range(steps):
            x = next(batches)
            loss = phase.loss(Batch(x, None, None), Progress(0, 1)).total  # type: ignore[arg-type]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return run


def _bare(recipe: Recipe, precision: str, channels_last: bool) -> Callable[[int], None]:
    model: Any = _experiment(recipe).model.train()
    if channels_last:
        model.to(memory_format=torch.channels_last)
    phase = model.phases()[0]
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)
    batch = Batch(_images()[:BATCH].float() / 127.5 - 1, None, torch.arange(BATCH))

    def run(steps: int) -> None:
        for _ in range(steps):
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                loss = phase.loss(batch, Progress(0, 1)).total
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return run
