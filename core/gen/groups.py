"""Parameter groups and optimizers of the phases, as the recipe's `optim` section says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from gen.building import Builder
from gen.interfaces import Model, OptimizerSpec, Phase

__all__ = ["make_optimizer", "trainable"]


def trainable(phase: Phase, frozen: set[int]) -> dict[str, nn.Parameter]:
    """The parameters a phase trains, by a name unique in the phase, each once; `frozen` holds ids to leave out."""
    found: dict[str, nn.Parameter] = {}
    seen = set(frozen)
    for number, part in enumerate(phase.train):
        for name, parameter in part.named_parameters():
            if id(parameter) not in seen:
                seen.add(id(parameter))
                found[f"{number}.{name}"] = parameter
    return found


def make_optimizer(
    model: Model, phase: Phase, entry: Mapping[str, Any], builder: Builder, frozen: set[int], device: torch.device
) -> tuple[torch.optim.Optimizer, OptimizerSpec, dict[str, nn.Parameter]]:
    """The optimizer of a phase, its spec (which carries the schedule), and its parameters.

    Norms and biases (fewer than two dimensions) are spared from weight decay. `parts` of the entry set a rate of
    their own for a part of the model, or freeze it.
    """
    keys = {"scale", "repeat", "every", "parts"}
    spec: OptimizerSpec = builder.make({k: v for k, v in entry.items() if k not in keys}, path=f"optim.{phase.name}")
    parts: dict[str, Any] = dict(entry.get("parts") or {})
    owner = {id(p): name for name in parts for p in getattr(model, name).parameters()}
    still = {i for i, name in owner.items() if parts[name].get("freeze")}
    chosen = trainable(phase, frozen | still)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in chosen.values():
        rule = parts.get(owner.get(id(parameter), ""), {})
        rate = spec.lr if rule.get("lr") is None else rule["lr"]
        decay = spec.weight_decay if rule.get("weight_decay") is None else rule["weight_decay"]
        decay = decay if parameter.ndim >= 2 else 0.0
        groups.setdefault((rate * entry.get("scale", 1.0), decay), []).append(parameter)
    made = [{"params": ps, "lr": rate, "weight_decay": decay} for (rate, decay), ps in groups.items()]
    return spec.make(made, device=device), spec, chosen
