"""`gen eval RUN`: measures a trained model anew, without training; what it finds joins the run's record."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from gen.cli.arguments import add_plugin, is_override, known_plugins
from gen.cli.table import table
from gen.errors import CommandError
from gen.recipe.plain import read_plain

if TYPE_CHECKING:
    import torch
    from accelerate import Accelerator

    from gen.evaluate import Evaluation, Measured, Source
    from gen.interfaces import Metric
    from gen.loading import Loaded
    from gen.recipe.recipe import Recipe
    from gen.rundir import RunFolder

__all__ = ["add", "main"]

SAMPLER = "sampler."
"""How an override begins that changes an option of the sampler."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run folder, or runs/NAME for its newest")
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="path=value",
        help="sets a value of evaluate, 'evaluate.metrics.fd.k=5', or an option of the sampler, 'sampler.steps=10'",
    )
    parser.add_argument(
        "--metrics",
        action="append",
        default=[],
        metavar="NAME",
        help="a label of the run's recipe, a component, or a YAML file of label: metric; again for more (the recipe's)",
    )
    parser.add_argument("--split", choices=("val", "test"), help="of the data (the recipe's)")
    parser.add_argument(
        "--with",
        dest="sampler",
        metavar="SAMPLER",
        help="a sampler of the recipe, or a component (the first of the run)",
    )
    parser.add_argument("--count", type=int, metavar="N", help="generated samples (the recipe's)")
    parser.add_argument("--seed", type=int, default=0, help="of everything random here (0)")
    parser.add_argument("--weights", default="ema", help="raw, ema, ema-DECAY or best (ema)")
    parser.add_argument("--data-root", metavar="DIR", help="where the data are (where the run found them)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="what to compute on")
    add_plugin(parser)


def main(args: argparse.Namespace) -> int:
    if not 0 <= args.seed < 2**63:
        raise CommandError(f"--seed takes 0 to 2**63 - 1, got {args.seed}")
    for word in args.overrides:
        if not (is_override(word) and (word.lstrip("~").startswith("evaluate.") or word.startswith(SAMPLER))):
            said = f'"{word}" is no evaluate.…=value or {SAMPLER}…=value'
            raise CommandError(f"gen eval changes how a run is measured, not the run: {said}")
    changed = [word for word in args.overrides if word.startswith(SAMPLER)]
    overrides = [word for word in args.overrides if word not in changed]

    from gen.absent import require
    from gen.evaluate import check_metrics, evaluate
    from gen.loading import load
    from gen.processes import make_accelerator
    from gen.recipe.recipe import Recipe
    from gen.rundir import RunFolder

    folder = RunFolder.open(Path(args.run))
    known = known_plugins(args)
    require(folder.read("run.json").get("plugins"), known)
    written = Recipe.read(folder.path / "resolved.yaml", catalogue=known)
    labels, added = _chosen(args.metrics, list(written.config["evaluate"]["metrics"]))
    given = {"split": args.split, "count": args.count}
    sets = [f"evaluate.{name}={value}" for name, value in given.items() if value is not None]
    recipe = Recipe.read(folder.path / "resolved.yaml", [*added, *sets, *overrides], catalogue=known)
    for label in set(recipe.config["evaluate"]["metrics"]) - set(labels or recipe.config["evaluate"]["metrics"]):
        del recipe.config["evaluate"]["metrics"][label]
    if not recipe.config["evaluate"]["metrics"]:
        raise CommandError(f"{folder.path} names no metric: choose one with --metrics NAME (gen ls metrics)")
    loaded = load(folder.path, weights=args.weights, known=known)
    accelerator = make_accelerator(args.device, "fp32")
    metrics, evaluation = _open(args, changed, folder, recipe, loaded, accelerator)
    if changed and not any(metric.draws for metric in metrics.values()):
        raise CommandError(f'"{changed[0]}" has no effect: none of these metrics draws samples')
    check_metrics(metrics, loaded.model, evaluation.source)
    found = evaluate(metrics, evaluation)
    if accelerator.is_main_process:
        path = _record(folder, loaded.step, found)
        print(table([row for label, measured in found.items() for row in _rows(label, measured)], indent=""))
        print(path)
    return 0


def _chosen(names: Sequence[str], labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """The labels of the metrics to measure (none: all of the recipe), and the overrides that bring new ones in."""
    chosen: list[str] = []
    overrides: list[str] = []
    for name in names:
        if name in labels:
            chosen.append(name)
            continue
        found = _read(Path(name)) if name.endswith((".yaml", ".yml")) else {name.rpartition("/")[2]: {"use": name}}
        chosen += found
        overrides += [f"evaluate.metrics.{label}={json.dumps(value)}" for label, value in found.items()]
    return chosen, overrides


def _read(path: Path) -> dict[str, Any]:
    """A file of metrics: label → component."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CommandError(f"--metrics {path}: cannot be read: {error}") from error
    found = read_plain(content, str(path))
    if not isinstance(found, dict) or not found or not all(isinstance(label, str) for label in found):
        raise CommandError(f"--metrics {path}: holds no metrics; write lines like  fd: {{use: NAME}}")
    return {label: {"use": value} if isinstance(value, str) else value for label, value in found.items()}


def _open(
    args: argparse.Namespace,
    changed: Sequence[str],
    folder: RunFolder,
    recipe: Recipe,
    loaded: Loaded,
    accelerator: Accelerator,
) -> tuple[dict[str, Metric], Evaluation]:
    """The metrics, built, and what they look at."""
    from gen.building import Experiment, placing_errors
    from gen.data import open_split
    from gen.evaluate import Evaluation
    from gen.types import Progress

    config, root = recipe.config["evaluate"], Path(args.data_root or folder.read("run.json").get("data_root", "."))
    with placing_errors(recipe):
        dataset = loaded.builder.make(recipe.config["data"], path="data")
        train, split = open_split(dataset, "train", root), open_split(dataset, config["split"], root)
    model = loaded.model.to(accelerator.device).requires_grad_(False)
    experiment = Experiment(recipe, loaded.builder, dataset, train, split, model, root)
    source = _source(args, changed, loaded, accelerator.device)
    with placing_errors(recipe):
        metrics = experiment.metrics()
    evaluation = Evaluation(
        model=model,
        split=split,
        split_name=config["split"],
        seed=args.seed,
        batch=recipe.config["data"]["batch"],
        count=config["count"],
        accelerator=accelerator,
        progress=Progress(loaded.step, max(loaded.step, 1)),
        source=source,
        train=train,
        weights=loaded.weights,
    )
    return metrics, evaluation


def _source(args: argparse.Namespace, changed: Sequence[str], loaded: Loaded, device: torch.device) -> Source | None:
    """Where generated samples come from: the sampler of --with, or the run's first that needs no data."""
    from gen.evaluate import source_of
    from gen.sampling import settle

    labels = [args.sampler] if args.sampler else list(loaded.config["sample"])
    source = source_of({label: loaded.sampler(label) for label in labels}, loaded.model, loaded.weights)
    if args.sampler and source is None:
        raise CommandError(f"--with {args.sampler}: it starts from data, and metrics compare what is drawn without")
    for word in changed:
        option = word.removeprefix(SAMPLER).partition("=")[0]
        if option in ("count", "weights"):
            raise CommandError(f'"{word}" has no effect: write --{option}')
        if source is None:
            raise CommandError(
                f'"{word}" has no effect: no sampler of this run draws without data; choose one with --with'
            )
    if source is not None:
        source = attrs.evolve(source, sampler=loaded.sampler(source.label, changed)) if changed else source
        if warning := settle(source.sampler, source.label, device):
            print(f"warning: {warning}", file=sys.stderr)
    return source


def _record(folder: RunFolder, step: int, found: Mapping[str, Measured]) -> Path:
    """A line of metrics.jsonl, and a file of its own for the cards: nothing measured earlier is overwritten."""
    from gen.evaluate import save_pictures
    from gen.files import dump_json, write_whole

    folder.lock()
    try:
        parent = folder.path / "evaluate"
        parent.mkdir(exist_ok=True)
        number = len(list(parent.glob(f"step-{step:08d}-eval-*.json"))) + 1
        path = parent / f"step-{step:08d}-eval-{number:04d}.json"
        write_whole(path, dump_json({label: measured.record() for label, measured in found.items()}))
        save_pictures(found, path.with_suffix(""))
        flat = {label: measured.value for label, measured in found.items()}
        parts = {f"{label}/{name}": v for label, measured in found.items() for name, v in measured.parts.items()}
        folder.append({"kind": "eval", "step": step, "file": path.name, **flat, **parts})
        folder.log(f"gen eval: {', '.join(found)}, in {path.name}")
    finally:
        folder.close()
    return path


def _rows(label: str, measured: Measured) -> list[tuple[str, str, str]]:
    parts = [(f"  {name}", f"{value:.6g}", "") for name, value in measured.parts.items()]
    return [(label, f"{measured.value:.6g}", measured.unit), *parts]
