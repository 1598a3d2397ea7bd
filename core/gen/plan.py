"""A rehearsal on the meta device: parts, shapes, parameters and memory, without data in memory or a single product.

Every phase runs once, forward and backward. A misfit between parts is told in the words of the recipe: which part,
what it was given, what was needed of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import torch
from torch import Tensor, nn

from gen.building import Builder, Experiment
from gen.errors import GenError, Problem, RecipeError, ShapeError
from gen.groups import trainable
from gen.interfaces import Model
from gen.recipe.recipe import Recipe
from gen.trainer import steps_of
from gen.types import Batch, DataSpec, Progress

__all__ = ["PartPlan", "PhasePlan", "Plan", "rehearse"]


@attrs.frozen
class PartPlan:
    """A part of the model: what goes in and comes out of it (with the batch), and its parameters."""

    name: str
    component: str
    given: str
    made: str
    parameters: int


@attrs.frozen
class PhasePlan:
    """A phase: the parts it trains, its cadence, its terms, bytes kept for its backward pass and by its optimizer."""

    name: str
    trains: tuple[str, ...]
    every: int
    repeat: int
    optimizer: str
    terms: tuple[str, ...]
    parameters: int
    activations: int
    optimizer_bytes: int


@attrs.frozen
class Plan:
    """What a recipe amounts to. Bytes are estimates for fp32 training on one device."""

    parts: tuple[PartPlan, ...]
    phases: tuple[PhasePlan, ...]
    parameters: int
    samples: int
    batch: int
    steps: int
    bytes: int

    @property
    def images(self) -> int:
        return self.steps * self.batch * max((phase.repeat for phase in self.phases), default=1)


def rehearse(experiment: Experiment) -> Plan:
    """Builds the model on the meta device and runs every phase once.

    Raises:
        RecipeError: parts that do not fit, at their place in the recipe.
    """
    recipe, config = experiment.recipe, experiment.config
    builder = Builder(experiment.builder.known, experiment.builder.classes)
    with torch.device("meta"):
        model: Model = builder.make(config["model"], path="model", data=experiment.train.spec)
        batch = _fake_batch(experiment.train.spec, config["data"]["batch"])
    seen: dict[str, PartPlan] = {}
    with _watching(model, recipe, seen):
        phases = tuple(_rehearse_phase(model, phase, batch, config, builder) for phase in model.phases())
    parameters = sum(p.numel() for p in model.parameters())
    weights = 4 * parameters + 4 * max((phase.parameters for phase in phases), default=0)
    optimizers = sum(phase.optimizer_bytes for phase in phases)
    averages = (1 + len(config["train"]["ema"]["also"])) * 4 * parameters if config["train"]["ema"] else 0
    activations = max((phase.activations for phase in phases), default=0)
    samples = len(experiment.train)
    steps = steps_of(config, samples)
    total = weights + optimizers + averages + activations // max(1, config["train"]["accumulate"])
    return Plan(tuple(seen.values()), phases, parameters, samples, config["data"]["batch"], steps, total)


def _fake_batch(spec: DataSpec, size: int) -> Batch:
    x: Any = {name: torch.empty(size, *domain.shape) for name, domain in spec.domains.items()}  # [B, *shape]
    cond = None
    if spec.cond is not None:
        kind, shape = spec.cond.kind, spec.cond.shape or (spec.cond.size,)
        cond = torch.empty(size, dtype=torch.int64) if kind == "class" else torch.empty(size, *shape)
    return Batch(x if len(x) > 1 else next(iter(x.values())), cond, torch.empty(size, dtype=torch.int64))


def _rehearse_phase(model: Model, phase: Any, batch: Batch, config: dict[str, Any], builder: Builder) -> PhasePlan:
    frozen = {id(p) for part in builder.frozen for p in part.parameters()}
    mine = trainable(phase, frozen)
    chosen = {id(p) for p in mine.values()}
    for parameter in model.parameters():
        parameter.requires_grad_(id(parameter) in chosen)
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        if not isinstance(tensor, nn.Parameter):
            storage = tensor.untyped_storage()
            kept[storage._cdata] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        losses = phase.loss(batch, Progress(0, 1))
    losses.total.backward()
    entry = config["optim"].get(phase.name, config["optim"]["all"])
    numbers = sum(p.numel() for p in mine.values())
    return PhasePlan(
        name=phase.name,
        trains=tuple(name for name, child in model.named_children() if any(child is part for part in phase.train)),
        every=entry.get("every") or phase.every,
        repeat=entry.get("repeat") or phase.repeat,
        optimizer=entry["use"],
        terms=("loss", *losses.terms),
        parameters=numbers,
        activations=sum(kept.values()),
        optimizer_bytes=4 * numbers * _states_per_weight(builder, entry),
    )


def _states_per_weight(builder: Builder, entry: dict[str, Any]) -> int:
    """How many numbers an optimizer keeps per weight, found by one step on a tiny weight."""
    spec = builder.make({k: v for k, v in entry.items() if k not in ("scale", "repeat", "every", "parts")})
    weight = nn.Parameter(torch.ones(2, 2))
    weight.grad = torch.ones(2, 2)
    optimizer = spec.make([{"params": [weight], "lr": spec.lr, "weight_decay": 0.0}], device=torch.device("cpu"))
    optimizer.step()
    return sum(isinstance(v, Tensor) and v.shape == weight.shape for v in optimizer.state[weight].values())


@contextmanager
def _watching(model: Model, recipe: Recipe, seen: dict[str, PartPlan]) -> Iterator[None]:
    """Records what goes in and out of every part of the model; turns a failure inside one into a recipe error."""
    inside: list[tuple[str, Any]] = []
    handles = []
    for name, child in model.named_children():
        handles.append(child.register_forward_pre_hook(_entering(inside, name)))
        handles.append(child.register_forward_hook(_leaving(inside, name, recipe, seen)))
    try:
        yield
    except (RuntimeError, ValueError, IndexError) as error:
        if isinstance(error, GenError) and not isinstance(error, ShapeError):
            raise
        name, given = inside[-1] if inside else ("", None)
        path = f"model.{name}" if name else "model"
        what = f"{path} fails on what it is given, {_shapes(given)}" if name else "the parts do not fit together"
        raise RecipeError([_misfit(recipe, path, f"{what}: {error}")]) from error
    finally:
        for handle in handles:
            handle.remove()


def _entering(inside: list[tuple[str, Any]], name: str) -> Callable[[nn.Module, Any], None]:
    return lambda module, given: inside.append((name, given))


def _leaving(
    inside: list[tuple[str, Any]], name: str, recipe: Recipe, seen: dict[str, PartPlan]
) -> Callable[[nn.Module, Any, Any], None]:
    def leave(module: nn.Module, given: Any, made: Any) -> None:
        inside.pop()
        wanted = getattr(module, "out_shape", None)
        path = f"model.{name}"
        if wanted and isinstance(made, Tensor) and tuple(made.shape[1:]) != tuple(wanted):
            message = f"{path} puts out {_shapes(made)}, but {('B', *wanted)} is needed".replace("'", "")
            raise RecipeError([_misfit(recipe, path, message)])
        numbers = sum(p.numel() for p in module.parameters())
        use = _used(recipe.config, path)
        seen.setdefault(name, PartPlan(name, use, _shapes(given), _shapes(made), numbers))

    return leave


def _used(config: Any, path: str) -> str:
    for step in path.split("."):
        config = config.get(step) if isinstance(config, dict) else None
    return str(config.get("use", config.get("run"))) if isinstance(config, dict) else ""


def _misfit(recipe: Recipe, path: str, message: str) -> Problem:
    place = recipe.places.get(f"{path}.use") or recipe.places.get(path)
    return Problem("shape", message.partition("\n")[0], place)


def _shapes(value: Any) -> str:
    if isinstance(value, Tensor):
        return "[" + ", ".join(["B", *map(str, value.shape[1:])]) + "]" if value.ndim else "a number"
    if isinstance(value, (tuple, list)):
        return " and ".join(_shapes(one) for one in value if one is not None)
    return type(value).__name__
