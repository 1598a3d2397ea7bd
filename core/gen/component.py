"""A component is one attrs class: its fields are the options, its docstring the documentation (torch-free).

Only `option`, `slot` and `wired` make fields; a bare annotation stays an annotation. `component` registers nothing: a
plugin's `gen_components` hook gives the class its name.

Traps this module exists to avoid (each held by a law test): attrs' own `__setattr__` would bypass `nn.Module`'s, so
that no parameter is registered; types must be resolved in the module of the class that wrote them, also under
`from __future__ import annotations`; a field may hide neither an attribute of `nn.Module` nor a recipe keyword.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Sequence
from typing import Any, TypeVar, dataclass_transform

import attrs

from gen.spec import REQUIRED, TRAITS, ComponentSpec, OptionSpec, SlotSpec

__all__ = ["component", "describe", "interface", "option", "options_of", "slot", "slots_of", "wired"]

C = TypeVar("C", bound=type)

_KEY = "gen"
_SCALARS = {int: "int", float: "float", bool: "bool", str: "str"}
RECIPE_WORDS = frozenset({"use", "run", "part", "base", "drop"})
"""Words with a meaning of their own inside a component's mapping; no field may be called so."""
SELF_WORDS = frozenset({"traits", "example", "excused"})
"""Class attributes in which a component speaks of itself to whoever checks it; no field may be called so."""


def option(
    default: Any = REQUIRED,
    *,
    doc: str,
    min: float | None = None,
    max: float | None = None,
    above: float | None = None,
    below: float | None = None,
    choices: Sequence[Any] | None = None,
    path: str | None = None,
) -> Any:
    """A value that a recipe may set: int, float, bool or str, a tuple of them, or one of these or None.

    Args:
        default: the default; without one the option is required.
        doc: one line, with the unit and the paper's symbol where there is one.
        min, max, above, below: bounds on the value, or on every element (above and below exclude the bound).
        choices: the values allowed.
        path: "file" or "folder": the text names one, relative to the data root.
    """
    bounds = {"min": min, "max": max, "above": above, "below": below, "path": path, "doc": doc}
    draft = {**bounds, "choices": tuple(choices) if choices is not None else None, "default": default}
    return _field(default, ("option", draft))


def slot(*, default: Any = REQUIRED, doc: str = "") -> Any:
    """A place that a recipe fills with another component; its type is an interface.

    `Posterior | None` makes it optional, `tuple[Regularizer, ...]` takes several, `dict[str, Metric]` several with
    labels. `default` is a recipe's value: a name such as "losses/hinge", or a mapping with `use`.
    """
    return _field(default, ("slot", {"default": default, "doc": doc}))


def wired(default: Any = REQUIRED) -> Any:
    """A value that the owner of the join sets (shapes, conditions, the data spec); a recipe never does."""
    return _field(default, ("wired", {}))


def _field(default: Any, mark: tuple[str, dict[str, Any]]) -> Any:
    return attrs.field(default=attrs.NOTHING if default is REQUIRED else default, metadata={_KEY: mark})


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(option, slot, wired))
def interface(cls: C) -> C:
    """An abstract kind of component: it states `kind`, the fields every component of the kind has, and a contract."""
    return _define(cls)


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(option, slot, wired))
def component(cls: C) -> C:
    """A final class that implements an interface.

    Raises:
        TypeError: the class breaks a rule of the house (no docstring, no interface, a concrete base, a bad field).
    """
    if not hasattr(cls, "kind"):
        raise TypeError(f"{cls.__qualname__} implements no interface: derive it from one of gen.interfaces")
    if not (cls.__doc__ or "").strip():
        raise TypeError(f"{cls.__qualname__} has no docstring: it is the documentation that users read")
    for base in cls.__mro__[1:]:
        if "__gen_final__" in vars(base):
            raise TypeError(f"{cls.__qualname__} derives from the component {base.__qualname__}: compose instead")
    made = _define(cls)
    made.__gen_final__ = True  # type: ignore[attr-defined]
    return made


def _define(cls: C) -> C:
    return attrs.define(
        eq=False,
        slots=False,
        kw_only=True,
        auto_attribs=False,
        on_setattr=attrs.setters.NO_OP,
        field_transformer=_transform,
        repr=False,
    )(cls)


def _transform(cls: type, fields: list[Any]) -> list[Any]:
    """Turns the drafts of `option` and `slot` into specs, now that the types are known."""
    own = [field for field in fields if not field.inherited]
    if not own:
        return fields
    try:
        hints = inspect.get_annotations(cls, eval_str=True)
    except NameError as error:
        raise TypeError(f"a type of {cls.__qualname__} cannot be resolved at run time: {error}") from error
    return [field if field.inherited else _resolve(cls, field, hints) for field in fields]


def _resolve(cls: type, field: Any, hints: dict[str, Any]) -> Any:
    where = f"{cls.__qualname__}.{field.name}"
    if _KEY not in field.metadata:
        raise TypeError(f"{where} is made by attrs.field: use option, slot or wired")
    mark, draft = field.metadata[_KEY]
    if field.name in RECIPE_WORDS | SELF_WORDS or any(_promises(base, field.name) for base in cls.__mro__[1:]):
        raise TypeError(f"{where} hides a name of the recipe language, of its interface or of nn.Module: rename it")
    if field.name not in hints:
        raise TypeError(f"{where} has no type")
    if mark == "wired":
        return field.evolve(type=hints[field.name], metadata={_KEY: mark})
    if mark == "slot":
        spec = _slot_spec(where, field.name, hints[field.name], draft)
        fill = _slot_default(spec)
        return field.evolve(type=hints[field.name], default=fill, metadata={_KEY: spec})
    option_spec = _option_spec(where, field.name, hints[field.name], draft)
    if option_spec.default is not REQUIRED:
        field = field.evolve(default=option_spec.convert(option_spec.default))
    return field.evolve(type=hints[field.name], converter=option_spec.convert, metadata={_KEY: option_spec})


def _promises(base: type, name: str) -> bool:
    """Whether a base has an attribute of this name that is no field; nn.Module only annotates some of its own."""
    return name in vars(base) or (not attrs.has(base) and name in inspect.get_annotations(base))


def _option_spec(where: str, name: str, hint: Any, draft: dict[str, Any]) -> OptionSpec:
    hint, nullable = _without_none(hint)
    many, length = False, None
    if typing.get_origin(hint) is tuple:
        elements = typing.get_args(hint)
        many, length = True, None if elements[-1] is Ellipsis else len(elements)
        hint = elements[0]
    if hint not in _SCALARS:
        raise TypeError(f"{where} has the type {hint!r}: an option is int, float, bool or str, or a tuple of one")
    if isinstance(draft["default"], tuple):
        draft = {**draft, "default": list(draft["default"])}
    kind: Any = _SCALARS[hint]
    return OptionSpec(name, kind, many, length, nullable, **draft)


def _slot_spec(where: str, name: str, hint: Any, draft: dict[str, Any]) -> SlotSpec:
    hint, nullable = _without_none(hint)
    many, labelled = typing.get_origin(hint) is tuple, typing.get_origin(hint) is dict
    if many or labelled:
        hint = typing.get_args(hint)[0 if many else 1]
    kind = getattr(hint, "kind", None)
    if kind is None:
        raise TypeError(f"{where} has the type {hint!r}: a slot is typed by an interface")
    default = draft["default"]
    if default is REQUIRED and (nullable or many or labelled):
        default = None if nullable else [] if many else {}
    default = list(default) if isinstance(default, tuple) else default
    return SlotSpec(name, kind, many, labelled, nullable, default, draft["doc"])


def _without_none(hint: Any) -> tuple[Any, bool]:
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return hint, False
    rest = [part for part in typing.get_args(hint) if part is not type(None)]
    if len(rest) != 1:
        raise TypeError(f"{hint!r} is a union of several types: a field has one type, or one or None")
    return rest[0], True


def _slot_default(spec: SlotSpec) -> Any:
    """In Python a slot left out is filled as a recipe would fill it: by name, from the installed plugins."""
    if spec.required:
        return attrs.NOTHING
    if spec.default is None:
        return None
    if spec.default in ([], {}):
        return attrs.Factory(tuple if spec.many else dict)

    def fill() -> Any:
        from gen.building import small_component

        return small_component(spec.default)

    return attrs.Factory(fill)


def options_of(cls: type) -> tuple[OptionSpec, ...]:
    """The options of a component class, inherited ones last."""
    return tuple(spec for spec in _specs(cls) if isinstance(spec, OptionSpec))


def slots_of(cls: type) -> tuple[SlotSpec, ...]:
    """The slots of a component class, inherited ones last."""
    return tuple(spec for spec in _specs(cls) if isinstance(spec, SlotSpec))


def _specs(cls: Any) -> list[Any]:
    fields: list[Any] = sorted(attrs.fields(cls), key=lambda field: bool(field.inherited))
    return [field.metadata[_KEY] for field in fields]


def describe(cls: Any, name: str, target: str) -> ComponentSpec:
    """What the manifest says of a component class registered as `name`.

    Raises:
        TypeError: the class declares a trait that there is not.
    """
    traits = dict(getattr(cls, "traits", {}))
    if unknown := sorted(traits.keys() - TRAITS.keys()):
        raise TypeError(f"{cls.__qualname__}.traits has no meaning for {unknown}; there are {', '.join(TRAITS)}")
    doc = inspect.cleandoc(cls.__doc__ or "")
    return ComponentSpec(
        name=name,
        kind=cls.kind,
        target=target,
        summary=doc.partition("\n")[0],
        doc=doc.partition("\n")[2].strip(),
        options=options_of(cls),
        slots=slots_of(cls),
        capabilities=tuple(cls.capabilities()) if hasattr(cls, "capabilities") else (),
        phases=tuple(getattr(cls, "phase_names", ())),
        needs=tuple(getattr(cls, "needs", ())),
        given=tuple(getattr(cls, "given", ())),
        better=getattr(cls, "better", None),
        traits=_plain(traits),
        example=_plain(dict(getattr(cls, "example", {}))),
        excused=dict(getattr(cls, "excused", {})),
    )


def _plain(value: Any) -> Any:
    """As JSON gives it back: lists for tuples."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
