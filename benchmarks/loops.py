"""What the timings share: gen's whole loop over images of noise, a plain loop's batches, rounds that alternate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import torch
from torch import Tensor
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

__all__ = ["Steps", "images", "interleaved", "over_images", "plain_batches", "whole_loop"]

Steps = Callable[[int], None]
"""A loop: called with a number, it makes so many steps."""


def images(count: int, shape: tuple[int, ...]) -> Tensor:
    """Images of noise [count, *shape], uint8."""
    return torch.randint(0, 256, (count, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def over_images(recipe: Recipe, pixels: Tensor) -> Any:
    """The experiment of a recipe over images in memory, in place of the data set that it names."""
    experiment = build(recipe)
    spec = DataSpec.single(Domain(tuple(pixels.shape[1:]), levels=256))
    split = Split(TensorRows(spec, pixels), (), spec)
    model = experiment.builder.make(recipe.config["model"], path="model", data=spec)
    return attrs.evolve(experiment, train=split, held_out=split, model=model)


class _Enough(Exception):
    """Ends a round of gen's loop."""


def whole_loop(experiment: Any, folder: Path) -> Steps:
    """gen's loop as `gen run` has it, guard and log included; nothing is saved, measured or drawn."""
    accelerator = make_accelerator("cpu", experiment.config["train"]["precision"])
    session = Session(experiment, accelerator, Console(quiet=True), [])
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


def plain_batches(pixels: Tensor, batch: int) -> Iterator[Tensor]:
    """What a tutorial's loop reads, for ever: a DataLoader over images in [-1, 1], shuffled."""
    loader = DataLoader(TensorDataset(pixels.float() / 127.5 - 1), batch_size=batch, shuffle=True, drop_last=True)
    while True:
        for (x,) in loader:
            yield x


def interleaved(rounds: int, runs: dict[str, Callable[[], None]]) -> dict[str, list[float]]:
    """Seconds of every round, after one to warm up; who goes first changes from round to round."""
    times: dict[str, list[float]] = {label: [] for label in runs}
    for number in range(rounds + 1):
        for label in list(runs) if number % 2 else reversed(runs):
            start = time.perf_counter()
            runs[label]()
            if number:
                times[label].append(time.perf_counter() - start)
    return times
