"""What holds between sections: keys at the wrong place, capabilities, labels, and how long to train."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

from gen.errors import did_you_mean
from gen.recipe.context import Context, Stranger, a, brief, joined, listed, plural
from gen.recipe.nodes import ListNode, MapNode, Scalar, look_up
from gen.recipe.optim import check_parts_named
from gen.sections import ENTRY, OF_A_DRAW, OPTIM, ORDER, ROOT, RUN_NAME, Section
from gen.spec import ComponentSpec, show

__all__ = ["check_alone", "check_rules"]


def check_rules(ctx: Context, tree: MapNode, config: dict[str, Any]) -> None:
    """Everything that concerns more than one value."""
    model = ctx.used.get("model")
    _check_name(ctx, tree)
    if model is not None:
        _check_length(ctx, tree, model)
        _check_capabilities(ctx, model)
    _check_best(ctx, tree)
    averaged = look_up(tree, "train.ema.of")
    if isinstance(averaged, ListNode):
        names = {i.value: i.place for i in averaged.items if isinstance(i, Scalar) and isinstance(i.value, str)}
        check_parts_named(ctx, names, model)
    _check_inner_samplers(ctx, tree)
    _judge_strangers(ctx)


def check_alone(ctx: Context, tree: MapNode) -> None:
    """The same for a component around which no recipe stands."""
    _check_inner_samplers(ctx, tree)
    _judge_strangers(ctx, whole=False)


def _check_name(ctx: Context, tree: MapNode) -> None:
    node = tree.entries.get("name")
    if isinstance(node, Scalar) and isinstance(node.value, str) and not RUN_NAME.fullmatch(node.value):
        message = f"{show(node.value)} cannot name a run: it becomes a folder"
        ctx.problems.add("run-name", message, node.place, "use at most 64 of a-z, 0-9 and -, like vae-digits")


def _check_length(ctx: Context, tree: MapNode, model: ComponentSpec) -> None:
    """Exactly one of steps and epochs, unless the model solves in closed form."""
    train = tree.entries.get("train")
    if train is None or (isinstance(train, Scalar) and train.value is None):
        if "solve" not in model.capabilities:
            message, place = 'the recipe has no section "train"', tree.place if train is None else train.where
            ctx.problems.add("missing-section", message, place, "write train: {steps: 3000}")
        return
    if not isinstance(train, MapNode):
        return
    given = [
        node
        for name in ("steps", "epochs")
        if (node := train.entries.get(name)) and not (isinstance(node, Scalar) and node.value is None)
    ]
    if len(given) == 2:
        message = "train takes steps or epochs, not both"
        ctx.problems.add("needs-one-of", message, given[1].where, "drop one of them")
    elif not given and "solve" not in model.capabilities:
        ctx.problems.add("needs-one-of", "train needs steps or epochs", train.where, "write steps: 3000")


def _check_capabilities(ctx: Context, model: ComponentSpec) -> None:
    """Samplers and metrics may only need what the model can do."""
    able = set(model.capabilities)
    for path, spec in ctx.used.items():
        lacking = [f"`{need}`" for need in spec.needs if need not in able]
        if not lacking:
            continue
        fitting = [brief(other.name) for other in ctx.catalogue.of_kind(spec.kind) if able.issuperset(other.needs)]
        notes = [f"{plural(spec.kind)} for {brief(model.name)}: {listed(fitting) or 'none installed'}"]
        place = ctx.places.get(f"{path}.use") or ctx.places["model.use"]
        message = f"{brief(spec.name)} needs {' and '.join(lacking)}, which {brief(model.name)} lacks"
        ctx.problems.add("capability-missing", message, place, notes=notes)


def _check_best(ctx: Context, tree: MapNode) -> None:
    node, metrics = look_up(tree, "save.best"), look_up(tree, "evaluate.metrics")
    labels = list(metrics.entries) if isinstance(metrics, MapNode) else []
    if isinstance(node, Scalar) and isinstance(node.value, str) and node.value not in labels:
        notes = [f"labels: {listed(labels)}" if labels else "evaluate.metrics is empty"]
        message = f'save.best names no metric: evaluate.metrics has no "{node.value[:60]}"'
        ctx.problems.add("unknown-label", message, node.place, did_you_mean(node.value[:100], labels), notes)


def _check_inner_samplers(ctx: Context, tree: MapNode) -> None:
    """A sampler inside another does not say how many are drawn, from which weights, and in which precision."""
    samplers = {path: spec for path, spec in ctx.used.items() if spec.kind == "sampler"}
    for path, spec in samplers.items():
        outer = next((other for other in samplers if path.startswith(f"{other}.")), None)
        for name in OF_A_DRAW if outer else ():
            node, option = look_up(tree, joined(path, name)), spec.option(name)
            # a resolved recipe states defaults: they are no one's wish
            if isinstance(node, Scalar) and option and node.value != option.default:
                message = f"{path}.{name} has no effect: the sampler around it decides"
                ctx.problems.add("no-effect", message, node.place, f"write {outer}.{name}")


def _judge_strangers(ctx: Context, whole: bool = True) -> None:
    """A key that is right elsewhere is misplaced; any other is unknown. `whole`: sections are places too."""
    judged = set()
    for stranger in ctx.strangers:
        if stranger.place not in judged:
            judged.add(stranger.place)
            _judge(ctx, stranger, whole)


def _judge(ctx: Context, stranger: Stranger, whole: bool) -> None:
    key = stranger.key if len(stranger.key) <= 60 else stranger.key[:57] + "…"
    word = "option" if stranger.path else "section"
    message = f'{stranger.owner} has no {word} "{key}"'
    right = _elsewhere(ctx, stranger) if whole else _inside(ctx, stranger.key)
    if right and not get_close_matches(key, stranger.options, cutoff=0.85):
        paths = " or ".join(path for path, _ in right[:3])
        remedy = f'"{key}" belongs to {right[0][1]}: write {paths}' if len(right) == 1 else f"write {paths}"
        ctx.problems.add("misplaced-option", message, stranger.place, remedy)
        return
    known = stranger.options if stranger.path else ORDER
    note = f"{word}s: {', '.join(known)}" if known else f"{stranger.owner} has no options"
    note += f"   (gen show {stranger.owner})" if stranger.component else ""
    ctx.problems.add(
        "unknown-option", message, stranger.place, did_you_mean(stranger.key[:100], stranger.options), [note]
    )


def _elsewhere(ctx: Context, stranger: Stranger) -> list[tuple[str, str]]:
    """Where the key would be right: (path, whose option it is there), in sections and the components used."""
    key = stranger.key
    found: dict[str, str] = {}
    for path, section in _sections(ROOT, ""):
        if section.option(key) or any(slot.name == key for slot in section.slots):
            found[joined(path, key)] = path or "the recipe itself"
    if ENTRY.option(key) or key == "parts" or (key == "use" and stranger.path == OPTIM.name):
        found[f"optim.all.{key}"] = "an optimizer"
    for path, spec in ctx.used.items():
        # what phases inherit is written once, in optim.all
        shared = re.sub(r"^optim\.[^.]+", "optim.all", joined(path, key))
        if (spec.option(key) or spec.slot(key)) and shared not in found:
            found[joined(path, key)] = a(spec.kind)
    return list(found.items())


def _inside(ctx: Context, key: str) -> list[tuple[str, str]]:
    """As `_elsewhere`, in the components used alone."""
    return [(joined(path, key), a(spec.kind)) for path, spec in ctx.used.items() if spec.option(key) or spec.slot(key)]


def _sections(section: Section, path: str) -> list[tuple[str, Section]]:
    inner = [pair for one in section.sections for pair in _sections(one, joined(path, one.name))]
    return [(path, section), *inner]
