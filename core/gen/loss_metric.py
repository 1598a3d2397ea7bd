"""The metric every family has: its own losses, on held-out data."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gen.component import component, options_of, slots_of
from gen.evaluate import Evaluation, Measured
from gen.interfaces import Metric, Model, Network
from gen.seeds import key, seed_all
from gen.types import Batch, Progress

__all__ = ["LossMetric"]


@component
class LossMetric(Metric):
    """The losses of every phase on the held-out split: the mean over its samples, in the losses' own units."""

    better = "lower"
    of_losses = True

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
        return Measured(value, "as the losses", means, {"loss_of": _loss_of(evaluation.model)})


def _loss_of(model: Model) -> dict[str, Any]:
    """What decides the meaning of a model's loss: its class, its options, its parts that are no networks."""
    options = {o.name: getattr(model, o.name) for o in options_of(type(model))}
    parts = {s.name: getattr(model, s.name) for s in slots_of(type(model))}
    others = {name: type(part).__name__ for name, part in parts.items() if part is not None}
    networks = {name for name, part in parts.items() if isinstance(part, Network)}
    return {"class": type(model).__name__, **options, **{k: v for k, v in others.items() if k not in networks}}


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
