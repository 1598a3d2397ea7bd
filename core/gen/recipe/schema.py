"""The JSON Schema of a recipe for the installed plugins: for editors (hover, completion), never the checker itself.

One `$defs` entry per component and one per kind. A component is text or an object with `use`; which options the object
takes follows from `use` by if/then, since editors report a failed `oneOf` unreadably.
"""

from __future__ import annotations

from typing import Any

from gen.plugins import Catalogue
from gen.recipe.context import a, brief
from gen.sections import ENTRY, LABEL, OPTIM, OPTIMIZER, ORDER, PART, PLAIN_KINDS, ROOT, RUN_NAME, RUN_PART, Section
from gen.spec import ComponentSpec, OptionSpec, SlotSpec

__all__ = ["json_schema"]

_TYPES = {"int": "integer", "float": "number", "bool": "boolean", "str": "string"}
_BOUNDS = {"min": "minimum", "max": "maximum", "above": "exclusiveMinimum", "below": "exclusiveMaximum"}


def json_schema(catalogue: Catalogue) -> dict[str, Any]:
    """The schema (draft 2020-12) of recipes that use the components of a catalogue."""
    used = {slot.kind for slot in (*ROOT.slots, *(slot for one in ROOT.sections for slot in one.slots), OPTIMIZER)}
    specs = [spec for kind in catalogue.kinds for spec in catalogue.of_kind(kind)]
    kinds = sorted({*catalogue.kinds, *used, *(slot.kind for spec in specs for slot in spec.slots)})
    root = _section(ROOT)
    files = {
        "base": {"type": "string", "description": "a recipe file beside this one to start from"},
        "drop": {"type": "array", "items": {"type": "string"}, "description": "paths removed from the base"},
    }
    properties = {**{name: root["properties"][name] for name in ORDER}, **files}
    properties["name"] = {**properties["name"], "pattern": f"^{RUN_NAME.pattern}$"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "a gen recipe",
        "type": "object",
        "properties": properties,
        "required": ["gen"],  # the rest may come from the base
        "additionalProperties": False,
        "$defs": {
            **{_component_key(spec): _component(spec) for spec in specs},
            **{_kind_key(kind): _kind(kind, catalogue) for kind in kinds},
            "entry": _entry(catalogue),
            "run-part": _section(RUN_PART),
        },
    }


def _component_key(spec: ComponentSpec) -> str:
    return spec.name.replace("/", ":")


def _kind_key(kind: str) -> str:
    return f"kind:{kind}"


def _ref(key: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{key}"}


def _component(spec: ComponentSpec) -> dict[str, Any]:
    """The object form of one component; beside an optimizer's options stand the keys of its phase."""
    beside = _entry_keys() if spec.kind == OPTIMIZER.kind else {}
    return {
        "title": brief(spec.name),
        "description": "\n\n".join(filter(None, (spec.summary, spec.doc))),
        "type": "object",
        "properties": {"use": {"enum": _names(spec)}, **_fields(spec.options, spec.slots), **beside},
        "required": _required(spec.options, spec.slots),
        "additionalProperties": False,
    }


def _names(spec: ComponentSpec) -> list[str]:
    """As recipes write it: core's components also without their namespace."""
    return list(dict.fromkeys((brief(spec.name), spec.name)))


def _kind(kind: str, catalogue: Catalogue) -> dict[str, Any]:
    """Any component of a kind: its name, or the object that `use` selects."""
    specs = catalogue.of_kind(kind)
    names = [name for spec in specs for name in _names(spec)]
    choose = [_when(spec, _ref(_component_key(spec))) for spec in specs]
    known = {"properties": {"use": {"enum": names}}} if names else {}
    from_run = [] if kind in PLAIN_KINDS else [{"if": _has("run"), "then": _ref("run-part")}]
    return {
        "description": a(kind),
        "type": ["string", "object"],
        "if": {"type": "string"},
        "then": {"enum": names} if names else {},
        "else": {"allOf": [known, *choose, *from_run]},
    }


def _has(key: str) -> dict[str, Any]:
    return {"required": [key]}


def _when(spec: ComponentSpec, then: dict[str, Any]) -> dict[str, Any]:
    return {"if": {"properties": {"use": {"enum": _names(spec)}}, **_has("use")}, "then": then}


def _entry(catalogue: Catalogue) -> dict[str, Any]:
    """What stands under a phase: an optimizer, or, without `use`, options of whichever it inherits from `all`."""
    inherited: dict[str, Any] = {}
    for spec in catalogue.of_kind(OPTIMIZER.kind):
        inherited |= _fields(spec.options, spec.slots)
    return {
        "description": OPTIM.doc,
        "type": ["string", "object", "null"],
        "if": {"anyOf": [{"type": "string"}, _has("use")]},
        "then": _ref(_kind_key(OPTIMIZER.kind)),
        "else": {"properties": {**inherited, **_entry_keys()}, "additionalProperties": False},
    }


def _entry_keys() -> dict[str, Any]:
    parts = {"type": "object", "additionalProperties": _section(PART), "description": "part → what differs for it"}
    return {**_fields(ENTRY.options, ()), "parts": parts}


def _section(section: Section) -> dict[str, Any]:
    properties = _fields(section.options, section.slots)
    for inner in section.sections:
        properties[inner.name] = _optim() if inner.name == "optim" else _section(inner)
    return {
        "description": section.doc,
        "type": ["object", "null"],
        "properties": properties,
        "required": _required(section.options, ()),
        "additionalProperties": False,
    }


def _optim() -> dict[str, Any]:
    return {"type": ["object", "null"], "description": OPTIMIZER.doc, "additionalProperties": _ref("entry")}


def _fields(options: tuple[OptionSpec, ...], slots: tuple[SlotSpec, ...]) -> dict[str, Any]:
    return {**{option.name: _option(option) for option in options}, **{slot.name: _slot(slot) for slot in slots}}


def _required(options: tuple[OptionSpec, ...], slots: tuple[SlotSpec, ...]) -> list[str]:
    names = [option.name for option in options if option.required]
    return names + [slot.name for slot in slots if slot.required]


def _option(option: OptionSpec) -> dict[str, Any]:
    single: dict[str, Any] = {"type": _TYPES[option.type]}
    for bound, keyword in _BOUNDS.items():
        if (value := getattr(option, bound)) is not None:
            single[keyword] = value
    if option.choices is not None:
        single["enum"] = list(option.choices)
    schema = single
    if option.many:
        schema = {"type": "array", "items": single}
        if option.length is not None:
            schema |= {"minItems": option.length, "maxItems": option.length}
    if option.nullable:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    return {**schema, "description": option.doc, **({} if option.required else {"default": option.default})}


def _slot(slot: SlotSpec) -> dict[str, Any]:
    one = _ref(_kind_key(slot.kind))
    if slot.many:
        schema: dict[str, Any] = {"type": "array", "items": one}
    elif slot.labelled:
        schema = {"type": ["object", "null"], "patternProperties": {f"^{LABEL.pattern}$": one}}
        schema["additionalProperties"] = False
    else:
        schema = {"anyOf": [one, {"type": "null"}]} if slot.nullable else dict(one)
    return {**schema, "description": slot.doc, **({} if slot.required else {"default": slot.default})}
