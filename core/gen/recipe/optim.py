"""The section `optim`: an optimizer for every phase (`all`), and for single phases what differs.

A phase's entry is laid over `all` by the rule of merging, so it inherits the optimizer and its options unless it states
a `use` of its own. In the resolved recipe every phase that was named stands complete.
"""

from __future__ import annotations

from typing import Any

from gen.errors import Place, did_you_mean
from gen.recipe.check import check_fields, check_section, fill
from gen.recipe.context import Context, Stranger, brief
from gen.recipe.mapping import from_python
from gen.recipe.merge import as_mapping, merge
from gen.recipe.nodes import UNREADABLE, MapNode, Node, Scalar
from gen.sections import ENTRY, OPTIMIZER, PART
from gen.spec import ComponentSpec

__all__ = ["check_optim", "check_parts_named"]

_KEYS = (*(option.name for option in ENTRY.options), "parts")


def check_optim(ctx: Context, node: Node | None, at: Place, model: ComponentSpec | None) -> dict[str, Any]:
    """The optimizers by phase; `model` is None where the recipe's model could not be found."""
    if isinstance(node, Scalar) and node.value is UNREADABLE:
        return {}
    if node is None or (isinstance(node, Scalar) and node.value is None):
        node = MapNode(place=at, entries={})
    if not isinstance(node, MapNode):
        remedy = "write optim.all for the optimizer of every phase"
        ctx.problems.add("wrong-type", "optim takes a mapping from phases to optimizers", node.place, remedy)
        return {}
    if node.entries:
        ctx.places["optim"] = node.where
    shared = node.entries.get("all") or from_python(OPTIMIZER.default, node.where, default="optim")
    values = {"all": _entry(ctx, "all", shared, model)}
    for phase, given in node.entries.items():
        if phase == "all":
            continue
        if model is not None and phase not in model.phases:
            _report_phase(ctx, phase, given, model)
            continue
        before = len(ctx.problems.found)
        values[phase] = _entry(ctx, phase, _over(shared, given), model)
        ctx.problems.forget_repeats(before)
    return values


def _over(shared: Node, given: Node) -> Node:
    """A phase's entry over `all`; an empty one inherits everything."""
    if isinstance(given, Scalar) and given.value is None:
        return shared
    return merge(shared, given) if as_mapping(shared) is not None else given


def _entry(ctx: Context, phase: str, node: Node, model: ComponentSpec | None) -> dict[str, Any]:
    path = f"optim.{phase}"
    values = fill(ctx, path, OPTIMIZER, node, "optim", _KEYS)
    mapping = as_mapping(node)
    if values is None or mapping is None:
        return {}
    keys = {name: value for name, value in mapping.entries.items() if name in _KEYS}
    own = MapNode(place=mapping.place, key=mapping.key, entries=keys)
    parts = _parts(ctx, f"{path}.parts", mapping.entries.get("parts"), model)
    return {**values, **check_fields(ctx, path, ENTRY, own, ("parts",)), "parts": parts}


def _parts(ctx: Context, path: str, node: Node | None, model: ComponentSpec | None) -> dict[str, Any]:
    if node is None or (isinstance(node, Scalar) and node.value is None):
        ctx.origins[path] = node.origin if node else f"default of {path.rpartition('.')[0]}"
        return {}
    if not isinstance(node, MapNode):
        ctx.problems.add("wrong-type", f"{path} takes a mapping from parts to what differs", node.place)
        return {}
    if not node.entries:
        ctx.note(path, node)
    check_parts_named(ctx, {name: part.where for name, part in node.entries.items()}, model)
    return {name: check_section(ctx, f"{path}.{name}", PART, part, part.where) for name, part in node.entries.items()}


def check_parts_named(ctx: Context, names: dict[str, Place], model: ComponentSpec | None) -> None:
    """Reports names that are no part (slot) of the model."""
    parts = [slot.name for slot in model.slots] if model is not None else []
    for name, place in names.items():
        if model is not None and name not in parts:
            message = f'{brief(model.name)} has no part "{name}"'
            notes = [f"parts of {brief(model.name)}: {', '.join(parts)}"]
            ctx.problems.add("unknown-part", message, place, did_you_mean(name[:100], parts), notes)


def _report_phase(ctx: Context, phase: str, given: Node, model: ComponentSpec) -> None:
    """An unknown phase, or an option of an optimizer that was written one level too high."""
    phases = ["all", *model.phases]
    specs = [spec for path, spec in ctx.used.items() if path.startswith("optim.")]
    if phase in ("use", *_KEYS) or any(spec.option(phase) or spec.slot(phase) for spec in specs):
        ctx.strangers.append(Stranger("optim", phase, given.where, "optim", tuple(phases), False))
        return
    notes = [f"phases of {brief(model.name)}: {', '.join(model.phases)}   (optim.all feeds every phase)"]
    message = f'{brief(model.name)} has no phase "{phase}"'
    ctx.problems.add("unknown-phase", message, given.where, did_you_mean(phase[:100], phases), notes)
