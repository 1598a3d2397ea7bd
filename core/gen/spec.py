"""What a component says of itself, without torch: the content of a manifest.

The recipe checker, the command line and the JSON Schema work on these; `gen.component` makes them from a class.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import attrs

from gen.errors import OptionError

__all__ = ["REQUIRED", "TRAITS", "ComponentSpec", "OptionSpec", "SlotSpec"]

Scalar = Literal["int", "float", "bool", "str"]


class _Required:
    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED: Any = _Required()

TRAITS = {
    "sizes": "data shapes it is checked at, where the usual ones do not suit it: ((1, 16, 16), …)",
    "dtypes": "low precisions its forward keeps to, of bfloat16 and float16, besides float32 and float64",
    "coupled": "samples of a batch influence each other while it trains (batch statistics)",
    "stochastic": "it draws from the global generator, or from the one it is handed",
    "unbounded": "its samples may leave the range of the data",
    "breaks": "why torch.compile cannot take it as one graph",
    "order": "order of convergence in the step size, of a sampler that solves an equation",
    "files": "what a data set or an extractor reads that no package ships; without it, checks of it are not here",
}
"""What a component may declare of itself in `traits`, and what each means."""

_WORDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "text"}


@attrs.frozen
class OptionSpec:
    """One option: a scalar, or a list of scalars (`many`; `length` fixes how many).

    Bounds hold for every element: `min`/`max` include the bound, `above`/`below` exclude it. `path` marks text that
    names a file or folder under the data root.
    """

    name: str
    type: Scalar
    many: bool = False
    length: int | None = None
    nullable: bool = False
    default: Any = REQUIRED
    min: float | None = None
    max: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[Any, ...] | None = None
    path: Literal["file", "folder"] | None = None
    doc: str = ""

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    @property
    def wants(self) -> str:
        """`a whole number`, `a list of 2 numbers`, `text or null`."""
        words = _WORDS[self.type]
        if self.many:
            words = f"a list of {'' if self.length is None else f'{self.length} '}{_PLURAL[self.type]}"
        return f"{words} or null" if self.nullable else words

    @property
    def allowed(self) -> str:
        """The bounds in words: `at least 1`, `above 0 and at most 1`, `one of adam, sgd`; empty when free."""
        if self.choices is not None:
            return "one of " + ", ".join(map(str, self.choices))
        words = {"at least": self.min, "above": self.above, "at most": self.max, "below": self.below}
        return " and ".join(f"{word} {bound:.15g}" for word, bound in words.items() if bound is not None)

    def convert(self, value: Any) -> Any:
        """The value as the component receives it: int → float and list → tuple are the only conversions.

        Raises:
            OptionError: wrong type, or outside the bounds; the message says what was allowed.
        """
        if value is None and self.nullable:
            return None
        if not self.many:
            return self._element(value)
        if not isinstance(value, (list, tuple)) or (self.length is not None and len(value) != self.length):
            raise OptionError(f"{self.name} takes {self.wants}, got {show(value)}")
        return tuple(self._element(element) for element in value)

    def _element(self, value: Any) -> Any:
        if self.type == "float" and type(value) is int:
            value = float(value)
        if type(value).__name__ != self.type:
            raise OptionError(f"{self.name} takes {self.wants}, got {show(value)}")
        if isinstance(value, float) and not math.isfinite(value):
            raise OptionError(f"{self.name} takes a finite number, got {show(value)}")
        if not self._within(value):
            raise OptionError(f"{self.name} must be {self.allowed}, got {show(value)}")
        return value

    def _within(self, value: Any) -> bool:
        if self.choices is not None:
            return value in self.choices
        return (
            (self.min is None or value >= self.min)
            and (self.max is None or value <= self.max)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )


_PLURAL = {"int": "whole numbers", "float": "numbers", "bool": "true/false values", "str": "texts"}


def show(value: Any) -> str:
    """A value as a recipe writes it, shortened: `3.5`, `"auto"`, `null`, `[1, 2]`."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 60 else f'"{value[:57]}…"'
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(show(element) for element in value[:8]) + (", …]" if len(value) > 8 else "]")
    if isinstance(value, dict):
        return "a mapping"
    text = f"{value:g}" if isinstance(value, float) and abs(value) >= 1e16 else str(value)
    return text if len(text) <= 40 else text[:37] + "…"


@attrs.frozen
class SlotSpec:
    """A place that the recipe fills with another component of `kind`.

    `many`: a list of them; `labelled`: a mapping from labels to them. `default` is in recipe form: a name, a mapping
    with `use`, null, or an empty list.
    """

    name: str
    kind: str
    many: bool = False
    labelled: bool = False
    nullable: bool = False
    default: Any = REQUIRED
    doc: str = ""

    @property
    def required(self) -> bool:
        return self.default is REQUIRED


@attrs.frozen
class ComponentSpec:
    """A registered component, as the manifest records it.

    `capabilities` and `phases` belong to models, `needs` (capabilities) to samplers and metrics, `given` to samplers
    (what they start from besides noise: x, mask, to), `better` ("lower" or "higher") to metrics.

    For whoever checks it: `traits` are declared properties (see `TRAITS`), `example` the options and slots of a small
    instance in recipe form, `excused` maps a check it need not pass to the reason.
    """

    name: str
    kind: str
    target: str
    summary: str = ""
    doc: str = ""
    options: tuple[OptionSpec, ...] = ()
    slots: tuple[SlotSpec, ...] = ()
    capabilities: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    better: str | None = None
    traits: dict[str, Any] = attrs.field(factory=dict)
    example: dict[str, Any] = attrs.field(factory=dict)
    excused: dict[str, str] = attrs.field(factory=dict)

    @property
    def namespace(self) -> str:
        return self.name.partition("/")[0]

    def option(self, name: str) -> OptionSpec | None:
        return next((option for option in self.options if option.name == name), None)

    def slot(self, name: str) -> SlotSpec | None:
        return next((slot for slot in self.slots if slot.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """As it stands in `gen-plugin.json`: whatever equals its default is left out."""
        return _lean(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> ComponentSpec:
        """The inverse of `to_json`; keys a later minor version may add are ignored."""
        fields = _known(cls, record)
        fields["options"] = tuple(OptionSpec(**_known(OptionSpec, option)) for option in record.get("options", ()))
        fields["slots"] = tuple(SlotSpec(**_known(SlotSpec, slot)) for slot in record.get("slots", ()))
        return cls(**fields)


def _lean(spec: Any) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for field in attrs.fields(type(spec)):
        value = getattr(spec, field.name)
        if value is REQUIRED or (field.name != "default" and value in (field.default, {})):
            continue
        if isinstance(value, tuple):
            value = [_lean(element) if attrs.has(type(element)) else element for element in value]
        record[field.name] = value
    return record


def _known(cls: type, record: dict[str, Any]) -> dict[str, Any]:
    names = {field.name for field in attrs.fields(cls)}
    return {
        key: tuple(value) if isinstance(value, list) and key != "default" else value
        for key, value in record.items()
        if key in names
    }
