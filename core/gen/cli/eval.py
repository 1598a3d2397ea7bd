"""`gen eval RUN`: measures a trained model anew, without training; what it finds joins the run's record."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen.cli.arguments import add_plugin, is_override, known_plugins
from gen.cli.table import table
from gen.errors import CommandError

if TYPE_CHECKING:
    from gen.building import Experiment
    from gen.evaluate import Evaluation, Measured
    from gen.loading import Loaded
    from gen.recipe.recipe import Recipe
    from gen.rundir import RunFolder

__all__ = ["add", "main"]


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run folder, or runs/NAME for its newest")
    parser.add_argument(
        "overrides", nargs="*", metavar="path=value", help="sets a value of evaluate: 'evaluate.metrics.fd.k=5'"
    )
    parser.add_argument(
        "--metrics",
        action="append",
        default=[],
        metavar="NAME",
        help="a label of the run's recipe, a component, or a YAML file of label: metric; again for more (the recipe's)",
    )
    parser.add_argument("--split", choices=("val", "test"), help="of the data (the recipe's)")
    parser.add_argument("--count", type=int, metavar="N", help="generated samples (the recipe's)")
    parser.add_argument("--seed", type=int, default=0, help="of everything random here (0)")
    parser.add_argument("--weights", default="ema", help="raw, ema or ema-DECAY (ema)")
    parser.add_argument("--data-root", metavar="DIR", help="where the data are (where the run found them)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="what to compute on")
    add_plugin(parser)


def main(args: argparse.Namespace) -> int:
    if not 0 <= args.seed < 2**63:
        raise CommandError(f"--seed takes 0 to 2**63 - 1, got {args.seed}")
    wrong = [word for word in args.overrides if not (is_override(word) and word.startswith("evaluate."))]
    if wrong:
        raise CommandError(f'gen eval changes how a run is measured, not the run: "{wrong[0]}" is no evaluate.…=value')

    from gen.evaluate import check_metrics, evaluate
    from gen.loading import load
    from gen.recipe.recipe import Recipe
    from gen.rundir import RunFolder

    folder = RunFolder.open(Path(args.run))
    known = known_plugins(args)
    labels, metrics = _metrics(args.metrics, folder)
    chosen = [f"evaluate.{name}={value}" for name, value in (("split", args.split), ("count", args.count)) if value]
    recipe = Recipe.read(folder.path / "resolved.yaml", _telling(folder, [*metrics, *chosen, *args.overrides]), known)
    loaded = load(folder.path, weights=args.weights, known=known)
    experiment, evaluation = _open(args, folder, recipe, loaded)
    made = {label: metric for label, metric in experiment.metrics().items() if not labels or label in labels}
    if not made:
        raise CommandError(f"{folder.path} names no metric: choose one with --metrics NAME (gen ls metrics)")
    check_metrics(made, evaluation.source)
    found = evaluate(made, evaluation)
    if evaluation.accelerator.is_main_process:
        _record(folder, loaded.step, evaluation.split_name, found)
        print(_shown(found))
    return 0
