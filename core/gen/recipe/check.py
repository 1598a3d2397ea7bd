"""Checks a mapping against the specs of a section or component, and fills its slots.

Every function returns the resolved value: names in full, every default present. Where something was refused it has
been reported and the value does not matter, for the recipe is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from gen.errors import Place
from gen.recipe.context import Context, Stranger, a, brief, installed, joined, plural
from gen.recipe.mapping import from_python
from gen.recipe.merge import as_mapping, merge
from gen.recipe.naming import find_component
from gen.recipe.nodes import UNREADABLE, ListNode, MapNode, Node, Scalar
from gen.recipe.options import check_option
from gen.sections import LABEL, PLAIN_KINDS, RUN_PART, Section
from gen.spec import ComponentSpec, OptionSpec, SlotSpec, show

__all__ = ["check_fields", "check_section", "fill", "fill_slot"]


def check_section(ctx: Context, path: str, section: Section, node: Node | None, at: Place) -> Any:
    """A section's options, slots and sections; left out, its defaults, or null where it may be."""
    absent = node is None or (isinstance(node, Scalar) and node.value is None)
    if absent and section.nullable:
        ctx.origins[path] = node.origin if node is not None else f"default of {path.rpartition('.')[0] or 'the recipe'}"
        return None
    if node is None or absent:
        node = MapNode(place=at, entries={})
    if not isinstance(node, MapNode):
        if not (isinstance(node, Scalar) and node.value is UNREADABLE):
            ctx.problems.add("wrong-type", f"{path} takes a mapping, got {_shown(node)}", node.place)
        return {}
    if not absent:
        ctx.places[path] = node.where
    values = check_fields(ctx, path, section, node)
    for inner in section.sections:
        values[inner.name] = check_section(
            ctx, joined(path, inner.name), inner, node.entries.get(inner.name), node.where
        )
    return values


def check_fields(
    ctx: Context, path: str, owner: Section | ComponentSpec, node: MapNode, beside: Iterable[str] = ()
) -> dict[str, Any]:
    """The options and slots of a mapping; keys that are neither, nor named in `beside`, are reported."""
    title = _title(path, owner)
    source = owner.name if isinstance(owner, ComponentSpec) else title
    inner = [section.name for section in owner.sections] if isinstance(owner, Section) else []
    known = [*(option.name for option in owner.options), *(slot.name for slot in owner.slots), *inner]
    for name, value in node.entries.items():
        if name not in known and name not in beside:
            shown = (*known, *(word for word in beside if word != "use"))
            ctx.strangers.append(Stranger(path, name, value.where, title, shown, isinstance(owner, ComponentSpec)))
    values: dict[str, Any] = {}
    for option in owner.options:
        given = node.entries.get(option.name)
        if given is None and option.required:
            _report_missing(ctx, title, option, node)
            continue
        if given is None:
            given = from_python(option.default, node.where, default=source)
        values[option.name] = check_option(ctx, path, option, given)
    for slot in owner.slots:
        values[slot.name] = fill_slot(ctx, joined(path, slot.name), slot, node.entries.get(slot.name), node, source)
    return values


def _title(path: str, owner: Section | ComponentSpec) -> str:
    """What a message calls the owner of an option: `nets/conv-encoder`, `train.ema`, `the recipe`."""
    if isinstance(owner, ComponentSpec):
        return brief(owner.name)
    return path or "the recipe"


def _report_missing(ctx: Context, title: str, option: OptionSpec, node: MapNode) -> None:
    value = "|".join(map(str, option.choices)) if option.choices else "VALUE"
    note = f"{option.name}: {option.doc} ({option.wants}{f', {option.allowed}' if option.allowed else ''})"
    message = f'{title} needs the option "{option.name}"'
    ctx.problems.add("missing-option", message, _at(node), f"write {option.name}: {value}", [note])


def fill_slot(ctx: Context, path: str, slot: SlotSpec, node: Node | None, holder: MapNode, owner: str) -> Any:
    """What fills a slot: a component, null, a list of them, or a mapping from labels to them."""
    if node is None and slot.required:
        message = f'{brief(owner)} needs {a(slot.kind)} in the slot "{slot.name}"'
        remedy = f"write {slot.name}: NAME"
        ctx.problems.add("missing-slot", message, _at(holder), remedy, [installed(ctx.catalogue, slot.kind)])
        return None
    if node is None:
        node = from_python(slot.default, _at(holder), default=owner)
    if isinstance(node, Scalar) and node.value is UNREADABLE:
        return None
    if slot.many:
        return _fill_list(ctx, path, slot, node)
    if slot.labelled:
        return _fill_labels(ctx, path, slot, node)
    return fill(ctx, path, slot, node, owner)


def _fill_list(ctx: Context, path: str, slot: SlotSpec, node: Node) -> list[Any]:
    if not isinstance(node, ListNode):
        ctx.problems.add("wrong-type", f"{path} takes a list of {plural(slot.kind)}, got {_shown(node)}", node.place)
        return []
    if not node.items:
        ctx.note(path, node)
    single = attrs.evolve(slot, many=False, nullable=False)
    return [fill(ctx, joined(path, str(i)), single, item, "") for i, item in enumerate(node.items)]


def _fill_labels(ctx: Context, path: str, slot: SlotSpec, node: Node) -> dict[str, Any]:
    if isinstance(node, Scalar) and node.value is None:
        node = MapNode(place=node.place, default=node.default, entries={})
    if not isinstance(node, MapNode):
        message = f"{path} takes a mapping from labels to {plural(slot.kind)}, got {_shown(node)}"
        ctx.problems.add("wrong-type", message, node.place)
        return {}
    if not node.entries:
        ctx.note(path, node)
    single = attrs.evolve(slot, labelled=False, nullable=False)
    values = {}
    for label, inner in node.entries.items():
        if LABEL.fullmatch(label):
            values[label] = fill(ctx, joined(path, label), single, inner, "")
        else:
            message = f"{show(label)} is no label: it becomes part of file names"
            ctx.problems.add("label", message, inner.where, "use letters, digits, - and _")
    return values


def fill(ctx: Context, path: str, slot: SlotSpec, node: Node, owner: str, beside: Iterable[str] = ()) -> Any:
    """One component. A mapping without `use` adjusts the slot's default, where it has one."""
    if isinstance(node, Scalar) and node.value is None and slot.nullable:
        ctx.note(path, node)
        return None
    mapping = as_mapping(node)
    if mapping is not None and "run" in mapping.entries and "use" not in mapping.entries:
        return _fill_from_run(ctx, path, slot, mapping)
    if mapping is not None and "use" not in mapping.entries:
        mapping = _adjusted_default(ctx, path, slot, mapping, owner)
        if mapping is None:
            return None
    name = mapping.entries["use"] if mapping is not None else node
    spec = find_component(ctx, path, name, slot.kind)
    if spec is None or mapping is None:
        return None
    ctx.components[spec.name] = ctx.used[path] = spec
    ctx.note(joined(path, "use"), name)
    ctx.mark(path, mapping)
    return {"use": spec.name, **check_fields(ctx, path, spec, mapping, ("use", *beside))}


def _adjusted_default(ctx: Context, path: str, slot: SlotSpec, mapping: MapNode, owner: str) -> MapNode | None:
    if slot.required or not isinstance(slot.default, (str, Mapping)) or not slot.default:
        notes = [installed(ctx.catalogue, slot.kind)]
        ctx.problems.add("missing-use", f"{path} names no {slot.kind}", mapping.where, "write use: NAME", notes)
        return None
    return as_mapping(merge(from_python(slot.default, mapping.where, default=owner), mapping))


def _fill_from_run(ctx: Context, path: str, slot: SlotSpec, mapping: MapNode) -> Any:
    """Part of a finished run; whether it fits is seen when it is opened."""
    ctx.mark(path, mapping)
    if slot.kind in PLAIN_KINDS or path == "model":
        remedy = "init: {run: PATH} starts from a run's weights" if path == "model" else "write use: NAME"
        ctx.problems.add("wrong-kind", f"{path} cannot be part of a run", mapping.entries["run"].where, remedy)
        return None
    return check_fields(ctx, path, RUN_PART, mapping)


def _at(node: MapNode) -> Place:
    """Where something is missing: at the component's name, else at the key of the mapping."""
    return node.entries["use"].place if "use" in node.entries else node.where


def _shown(node: Node) -> str:
    return show(node.value) if isinstance(node, Scalar) else "a list" if isinstance(node, ListNode) else "a mapping"
