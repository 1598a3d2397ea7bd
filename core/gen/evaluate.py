"""Evaluation: metrics over a held-out split and generated samples, exact whatever the number of processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import attrs
import torch
from accelerate import Accelerator
from torch import Tensor

from gen.component import component
from gen.data import Split
from gen.interfaces import Metric, Model
from gen.seeds import key, seed_all
from gen.types import Batch, Progress

__all__ = ["Evaluation", "LossMetric", "Measured", "evaluate"]


@attrs.frozen
class Measured:
    """A metric's value. `parts` are further figures of the same measurement; `card` says how it was made."""

    value: float
    unit: str = ""
    parts: dict[str, float] = attrs.field(factory=dict)
    card: dict[str, Any] = attrs.field(factory=dict)


@attrs.frozen
class Evaluation:
    """What a metric may use: the model in evaluation mode, the split, samples, and sums over processes.

    `draw(n)` gives n generated samples [n, *shape] (all processes get all of them), or is None where the recipe has
    no sampler.
    """

    model: Model
    split: Split
    split_name: str
    seed: int
    batch: int
    count: int
    accelerator: Accelerator
    progress: Progress
    draw: Callable[[int], Tensor] | None = None

    @property
    def device(self) -> torch.device:
        device: torch.device = self.accelerator.device
        return device

    def batches(self) -> Iterator[Batch]:
        """This process's share of the split; every sample is in exactly one batch of one process."""
        return self.split.batches(
            self.batch, self.device, rank=self.accelerator.process_index, world=self.accelerator.num_processes
        )

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all processes."""
        total: Tensor = self.accelerator.reduce(values, "sum")
        return total

    def card(self) -> dict[str, Any]:
        """What every card says."""
        return {"split": self.split_name, "samples": len(self.split), "seed": self.seed}


@component
class LossMetric(Metric):
    """The losses of every phase on the held-out split: the mean over its samples, in the losses' own units."""

    better = "lower"

    def measure(self, evaluation: Evaluation) -> Measured:
        sums: dict[str, Tensor] = {}
        count = torch.zeros((), dtype=torch.float64)
        for batch in evaluation.batches():
            n = len(batch.index)
            seed_all(key(evaluation.seed, "loss", int(batch.index[0])), evaluation.device)
            for name, value in _losses(evaluation.model, batch, evaluation.progress).items():
                sums[name] = sums.get(name, torch.zeros((), dtype=torch.float64)) + value.double().cpu() * n
            count += n
        names = sorted(_names(evaluation, sums))
        zero = torch.zeros((), dtype=torch.float64)
        stacked = torch.stack([*(sums.get(name, zero) for name in names), count]).to(evaluation.device)
        totals = evaluation.sum(stacked).tolist()
        means = {name: total / totals[-1] for name, total in zip(names, totals, strict=False)}
        value = sum(mean for name, mean in means.items() if name.endswith("/loss"))
        return Measured(value, "as the losses", means, evaluation.card())


def _losses(model: Model, batch: Batch, progress: Progress) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for phase in model.phases():
        losses = phase.loss(batch, progress)
        found[f"{phase.name}/loss"] = losses.total.detach()
        found.update({f"{phase.name}/{term}": value.detach() for term, value in losses.terms.items()})
    return found


def _names(evaluation: Evaluation, sums: dict[str, Tensor]) -> set[str]:
    """The names of the terms: a process whose share of the split is empty takes them from the others."""
    if evaluation.accelerator.num_processes == 1:
        return set(sums)
    gathered: list[list[str]] = [[] for _ in range(evaluation.accelerator.num_processes)]
    torch.distributed.all_gather_object(gathered, sorted(sums))
    return {name for names in gathered for name in names}


def evaluate(metrics: dict[str, Metric], evaluation: Evaluation) -> dict[str, Measured]:
    """Every metric, on the model in evaluation mode and without gradients."""
    evaluation.model.eval()
    with torch.no_grad():
        return {label: metric.measure(evaluation) for label, metric in metrics.items()}
