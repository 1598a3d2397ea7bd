"""From a checked recipe to objects: the data, the model with its parts wired, samplers, metrics, optimizers.

A size is written once, by whoever owns the join. Slots whose components have no wired fields (posteriors, losses) are
built first; then the owner's `wire` says what shapes the others must meet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import torch
from torch import nn

from gen.absent import absent
from gen.activate import load_class
from gen.component import options_of, slots_of
from gen.data import Split, open_split
from gen.errors import DataError, GenError, OptionError, Problem, RecipeError, ShapeError
from gen.interfaces import Dataset, Model
from gen.plugins import Catalogue, catalogue, full_name
from gen.recipe.recipe import Recipe
from gen.seeds import key, seed_all
from gen.types import DataSpec, Shapes

__all__ = ["Builder", "Experiment", "build", "small_component"]


@attrs.define
class Builder:
    """Builds components from recipe values. `frozen` collects the parts that a recipe took frozen from another run.

    `recorded` is what a trained model says of the plugins it was made with (`gen.absent.owners`).
    """

    known: Catalogue = attrs.field(factory=catalogue)
    classes: dict[str, type] = attrs.field(factory=dict)
    frozen: list[nn.Module] = attrs.field(factory=list)
    taken: dict[str, str] = attrs.field(factory=dict)
    recorded: Any = None
    _inline: dict[str, Any] = attrs.field(factory=dict)

    def load(self, name: str) -> type:
        """The class registered as `name`.

        Raises:
            PluginError: no installed plugin has it, or its plugin does not load.
        """
        name = full_name(name)
        if name not in self.classes:
            spec = self.known.find(name)
            if spec is None:
                raise absent(name, self.known, self.recorded)
            self.classes[name] = load_class(spec, self.known)
        return self.classes[name]

    def make(self, value: Any, shapes: Shapes | None = None, *, path: str = "", data: DataSpec | None = None) -> Any:
        """The component that a recipe value describes.

        Args:
            value: a name, a mapping with `use`, or a mapping with `run` (a part of a finished run).
            shapes: what the owner of the slot wires it to.
            path: the recipe path, for messages.
            data: the data spec, for models.
        """
        if isinstance(value, str):
            value = {"use": value}
        if "run" in value:
            return self._take(value, shapes, path)
        cls = self.load(value["use"])
        options = {o.name: value[o.name] for o in options_of(cls) if o.name in value}
        slots = {s.name: value.get(s.name, s.default) for s in slots_of(cls)}
        small = {name: slot for name, slot in slots.items() if not self._needs_wiring(slot)}
        built = {name: self._fill(slot, None, f"{path}.{name}") for name, slot in small.items()}
        with _at(path):
            joins = self._wire(cls, shapes, data, {**_defaults(cls), **options, **built})
        for name, slot in slots.items():
            if name not in small:
                built[name] = self._fill(slot, _join(cls, joins, name, slot, path), f"{path}.{name}")
        with _at(path):
            return cls(**options, **built, **_wired(cls, shapes, data))

    def _fill(self, slot: Any, shapes: Shapes | None, path: str) -> Any:
        if slot is None:
            return None
        if isinstance(slot, list):
            return tuple(self.make(one, shapes, path=f"{path}.{i}") for i, one in enumerate(slot))
        if isinstance(slot, Mapping) and not {"use", "run"} & slot.keys():
            return {label: self.make(one, shapes, path=f"{path}.{label}") for label, one in slot.items()}
        return self.make(slot, shapes, path=path)

    def _needs_wiring(self, slot: Any) -> bool:
        if isinstance(slot, list):
            return any(self._needs_wiring(one) for one in slot)
        if isinstance(slot, str):
            slot = {"use": slot}
        if not slot:
            return False
        if "run" in slot:
            return True
        cls = self.load(slot["use"])
        return any(field.default is attrs.NOTHING for field in _wired_fields(cls))

    def _wire(self, cls: type, shapes: Shapes | None, data: DataSpec | None, known: dict[str, Any]) -> Any:
        if issubclass(cls, Model):
            assert data is not None, "a model is wired by the data"
            return cls.wire(data, **known)
        wire = getattr(cls, "wire", None)
        return wire(shapes, **known) if wire is not None and shapes is not None else {}

    def _take(self, value: Mapping[str, Any], shapes: Shapes | None, path: str) -> Any:
        """A part of a finished run, with its weights."""
        from gen.loading import load

        run = load(value["run"], weights=value.get("weights", "ema"), known=self.known)
        part = getattr(run.model, value["part"], None)
        if not isinstance(part, nn.Module):
            names = ", ".join(name for name, _ in run.model.named_children())
            raise GenError(f'{path}: the run {value["run"]} has no part "{value["part"]}"; it has {names}')
        if shapes is not None:
            _check_fit(part, shapes, path)
        if torch.get_default_device().type == "meta":
            part = part.to("meta")
        if value.get("frozen", False):
            part.requires_grad_(False)
            self.frozen.append(part)
        self.taken[path] = run.digest
        self._inline[path] = run.config["model"][value["part"]]
        return part

    def inlined(self, config: Any, path: str = "model") -> Any:
        """A model's config in which parts of other runs stand as themselves, so that a saved model needs no other."""
        if path in self._inline:
            return self._inline[path]
        if isinstance(config, Mapping):
            return {name: self.inlined(value, f"{path}.{name}") for name, value in config.items()}
        if isinstance(config, list):
            return [self.inlined(value, f"{path}.{i}") for i, value in enumerate(config)]
        return config


def _join(cls: type, joins: Mapping[str, Shapes], name: str, slot: Any, path: str) -> Shapes | None:
    """What the owner wires its slot to; nothing where it wires nothing (a sampler), and a trained part has its shapes.

    Raises:
        GenError: a component that needs shapes fills a slot that nobody wires.
    """
    if name in joins:
        return joins[name]
    assert not hasattr(cls, "wire"), f"{cls.__qualname__}.wire gives no shapes for its slot {name}"
    if not (isinstance(slot, Mapping) and "run" in slot):
        use = slot["use"] if isinstance(slot, Mapping) else slot
        raise GenError(
            f"{path}.{name}: nothing here gives {use} its shapes: take a trained part, {{run: PATH, part: NAME}}"
        )
    return None


def _check_fit(part: nn.Module, shapes: Shapes, path: str) -> None:
    for name in ("in_shape", "out_shape"):
        has, wanted = getattr(part, name, None), getattr(shapes, name)
        if has is not None and tuple(has) != tuple(wanted):
            raise ShapeError(f"{path}: the part of the other run has {name} {has}, here {wanted} is needed")


def _wired_fields(cls: type) -> Iterator[attrs.Attribute[Any]]:
    return (field for field in attrs.fields(cls) if field.metadata.get("gen") == "wired")


def _wired(cls: type, shapes: Shapes | None, data: DataSpec | None) -> dict[str, Any]:
    """The wired fields of a class, from what its owner says; `shape` is the incoming one."""
    offers: dict[str, Any] = {"data": data} if data is not None else {}
    if shapes is not None:
        offers |= {"in_shape": shapes.in_shape, "out_shape": shapes.out_shape, "shape": shapes.in_shape}
        offers["cond"] = shapes.cond
    return {field.name: offers[field.name] for field in _wired_fields(cls) if field.name in offers}


def _defaults(cls: type) -> dict[str, Any]:
    return {o.name: o.convert(o.default) for o in options_of(cls) if not o.required}


@contextmanager
def _at(path: str) -> Iterator[None]:
    """Gives an error of the block the recipe path it happened at."""
    try:
        yield
    except (ShapeError, DataError) as error:
        if not hasattr(error, "path"):
            error.path = path  # type: ignore[union-attr]
        raise


@attrs.define
class Experiment:
    """A recipe made real: what the trainer, `gen plan` and `gen.build` work on."""

    recipe: Recipe
    builder: Builder
    dataset: Dataset
    train: Split
    held_out: Split | None
    model: Model
    root: Path

    @property
    def config(self) -> dict[str, Any]:
        config: dict[str, Any] = self.recipe.config
        return config

    def split(self, name: str) -> Split:
        """A split by name, opened when first asked for."""
        if name == "train":
            return self.train
        if self.held_out is not None and name == self.config["evaluate"]["split"]:
            return self.held_out
        return open_split(self.dataset, name, self.root)

    def samplers(self) -> dict[str, Any]:
        return {
            label: self.builder.make(value, path=f"sample.{label}") for label, value in self.config["sample"].items()
        }

    def metrics(self) -> dict[str, Any]:
        metrics = self.config["evaluate"]["metrics"]
        domain, cond = next(iter(self.train.spec.domains.values())), self.train.spec.cond
        shapes = Shapes(domain.shape, (), cond)
        return {label: self.builder.make(v, shapes, path=f"evaluate.metrics.{label}") for label, v in metrics.items()}


def build(
    recipe: Recipe, *, data_root: str | Path = ".", device: str | torch.device = "cpu", known: Catalogue | None = None
) -> Experiment:
    """Builds everything a recipe describes. On the device "meta" the model has shapes but no memory.

    Raises:
        RecipeError: parts that do not fit, data that cannot be read; each at its place in the recipe.
    """
    builder = Builder(known) if known is not None else Builder()
    root = Path(data_root)
    with placing_errors(recipe):
        dataset = builder.make(recipe.config["data"], path="data")
        with _at("data"):
            train = open_split(dataset, "train", root)
            held_out = open_split(dataset, recipe.config["evaluate"]["split"], root)
        seed_all(key(recipe.config["seed"], "init"), torch.device("cpu"))
        with torch.device(device if str(device) == "meta" else "cpu"):
            model = builder.make(recipe.config["model"], path="model", data=train.spec)
    if str(device) != "meta":
        model = model.to(device)
    return Experiment(recipe, builder, dataset, train, held_out, model, root)


@contextmanager
def placing_errors(recipe: Recipe) -> Iterator[None]:
    """Shape and data errors of the block come out as recipe errors at the place of the part."""
    try:
        yield
    except (ShapeError, DataError) as error:
        path = getattr(error, "path", "data" if isinstance(error, DataError) else "model")
        place = recipe.places.get(f"{path}.use") or recipe.places.get(path)
        code = "shape" if isinstance(error, ShapeError) else "data"
        head, _, rest = str(error).partition("\n")
        raise RecipeError([Problem(code, f"{path}: {head}", place, notes=tuple(rest.splitlines()))]) from error


def small_component(value: Any) -> Any:
    """A component without wired fields, by name: how Python code fills a slot it left out.

    Raises:
        OptionError: the component needs shapes, which only the code at hand knows.
    """
    builder = Builder()
    if builder._needs_wiring(value):
        raise OptionError(f"{value} needs shapes that only you know: make it and pass it by keyword")
    return builder.make(value)
