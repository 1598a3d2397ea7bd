"""A component under examination: how to build it small, what to call it with, what it answers.

Everything follows from its kind and from what its manifest declares, never from its name. Slots without a default hold
a toy of their kind, or the first installed component of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs
import torch
from torch import Tensor, nn

from gen.building import Builder
from gen.errors import ShapeError
from gen.plugins import Catalogue, PluginRecord, catalogue
from gen.spec import ComponentSpec, SlotSpec
from gen.types import CondSpec, DataSpec, Domain, Shape, Shapes
from gen_sdk.checks import calling
from gen_sdk.checks.check import Failure

__all__ = ["LABELS", "SIZES", "Subject", "seeded"]

SIZES: tuple[Shape, ...] = ((1, 8, 8), (3, 16, 16))
"""The data shapes that a component is checked at, unless it declares others."""

CODE: Shape = (4,)
LABELS = CondSpec("class", 3)


@contextmanager
def seeded(seed: int = 0) -> Iterator[None]:
    """The global generator starts from `seed`, and is as it was afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


@attrs.define(eq=False)
class Subject:
    """A component: what its manifest says (`spec`) and its class."""

    spec: ComponentSpec
    cls: type
    known: Catalogue = attrs.field(factory=catalogue, repr=False)

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def plugin(self) -> PluginRecord:
        """The plugin that registers it."""
        record = next((one for one in self.known.plugins if self.spec in one.components), None)
        assert record is not None, f"{self.name} belongs to no plugin of this catalogue"
        return record

    @property
    def tensors(self) -> bool:
        """Whether the component is a module, which may hold tensors, or plain."""
        return issubclass(self.cls, nn.Module)

    @property
    def called(self) -> bool:
        """Whether the kit knows what a component of this kind is called with."""
        return self.spec.kind in calling.KINDS

    def trait(self, name: str) -> Any:
        """What the component declares of itself (`gen.spec.TRAITS`), or None."""
        return self.spec.traits.get(name)

    def sizes(self) -> tuple[Shape, ...]:
        """The data shapes to check it at: two of them, unless it declares its own."""
        declared = self.trait("sizes")
        return tuple(tuple(size) for size in declared) if declared else SIZES

    def make(
        self,
        size: Shape | None = None,
        *,
        seed: int = 0,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
        cond: bool = False,
        **options: Any,
    ) -> Any:
        """A small instance, wired for data of `size` (by default the first of `sizes()`), its weights from `seed`.

        Args:
            device: "cpu" or "meta".
            dtype: what a module's parameters are converted to.
            cond: whether it is told labels: a network is wired to them, a model with an option `conditional` sets it.
            options: options and slots in recipe form, over those of the component's example.

        Raises:
            Failure: an option is required and the example does not give it.
            ShapeError: the component fits none of the joins that its kind may meet.
        """
        builder, value = self._builder(), self._value(cond, options)
        refused: ShapeError | None = None
        size = size or self.sizes()[0]
        for shapes, data in self._joins(size, cond):
            try:
                with seeded(seed), torch.device(device):
                    part = builder.make(value, shapes, path=self.name, data=data)
            except ShapeError as error:
                refused = refused or error
            else:
                calling.complete(part)
                return part.to(dtype) if self.tensors and dtype != torch.float32 else part
        assert refused is not None, "every kind has a join"
        raise refused

    def inputs(self, part: Any, batch: int, *, seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[Tensor, ...]:
        """What a component of its kind takes, for a batch: always the same for a seed."""
        return calling.inputs(self.spec.kind, part, batch, seed, dtype, self.sizes()[0])

    def call(self, part: Any, inputs: tuple[Tensor, ...], *, rng: torch.Generator | None = None) -> Any:
        """Runs the one thing that its kind does: a tensor, or tensors by name. A model's: the losses of its phases."""
        return calling.call(self.spec.kind, part, inputs, rng)

    def answers(
        self, part: Any, inputs: tuple[Tensor, ...], *, rng: torch.Generator | None = None
    ) -> dict[str, Tensor]:
        """What `call` gives, by name; of a model its deterministic capabilities, which answer sample by sample."""
        return calling.answers(self.spec.kind, part, inputs, rng)

    def _builder(self) -> Builder:
        from gen_sdk.checks.toys import TOYS

        toys = {f"toy/{kind}": toy for kind, toy in TOYS.items()}
        return Builder(self.known, classes={**toys, self.name: self.cls})

    def _value(self, cond: bool, options: Mapping[str, Any]) -> dict[str, Any]:
        """The component in recipe form."""
        value: dict[str, Any] = {"use": self.name, **{s.name: self._fill(s) for s in self.spec.slots}}
        value |= {**self.spec.example, **options}
        missing = [option.name for option in self.spec.options if option.required and option.name not in value]
        if missing:
            raise Failure(f"it requires {', '.join(missing)}: give values in the class attribute `example`")
        if cond and self.spec.kind == "model" and self.spec.option("conditional"):
            value["conditional"] = True
        return value

    def _fill(self, slot: SlotSpec) -> Any:
        """A slot's default; a toy where it has none, or where the plugin of the default is not installed."""
        from gen_sdk.checks.toys import TOYS

        name = slot.default.get("use") if isinstance(slot.default, dict) else slot.default
        if not slot.required and (not isinstance(name, str) or self.known.find(name)):
            return slot.default
        if slot.kind in TOYS:
            return f"toy/{slot.kind}"
        there = sorted(
            self.known.of_kind(slot.kind), key=lambda spec: (spec.namespace != self.spec.namespace, spec.name)
        )
        if not there:
            raise Failure(
                f"nothing installed fills its slot {slot.name} ({slot.kind}): register a component of that kind"
            )
        return there[0].name

    def _joins(self, size: Shape, cond: bool) -> Iterator[tuple[Shapes | None, DataSpec | None]]:
        """What its owner may wire it to, likeliest first: it is checked at the first that it accepts."""
        told = LABELS if cond else None
        kind = self.spec.kind
        if kind == "model":
            names = ("a", "b") if "translate" in self.spec.capabilities else ("x",)
            for levels in (None, 2, 256):
                modality: Any = {3: "image", 1: "vector"}.get(len(size), "series")
                domain = Domain(size, modality, levels=levels)
                yield None, DataSpec(dict.fromkeys(names, domain), LABELS)
            return
        code = (4, *(max(1, side // 4) for side in size[1:]))
        pairs: dict[str, list[tuple[Shape, Shape]]] = {
            "encoder": [(size, CODE), (size, code), (size, size)],
            "decoder": [(CODE, size), (code, size), (size, size)],
            "generator": [(CODE, size), (size, size)],
            "discriminator": [(size, ())],
            "denoiser": [(size, size)],
            "autoregressor": [(size, size)],
            "extractor": [(size, CODE)],
            "metric": [(size, ())],
            "prior": [(CODE, size)],
        }
        for given, made in pairs.get(kind, [(CODE, CODE), (size, size)]):
            yield Shapes(given, made, told), None
