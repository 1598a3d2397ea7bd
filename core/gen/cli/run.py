"""`gen run RECIPE`: trains what a recipe says, and leaves a run folder."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from gen.cli.arguments import add_data_root, add_overrides, add_plugin, known_plugins
from gen.cli.table import table

if TYPE_CHECKING:
    from gen.running import Run

__all__ = ["add", "add_machine", "finish", "main", "spread"]


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", metavar="RECIPE", help="a file, or the name of a shipped recipe")
    add_overrides(parser)
    parser.add_argument("--smoke", action="store_true", help="two real steps of everything, in a temporary folder")
    parser.add_argument("--runs", default="runs", metavar="DIR", help="where run folders are made (runs)")
    add_machine(parser)
    add_data_root(parser)
    add_plugin(parser)


def add_machine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="what to compute on")
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="train in N processes on this machine")
    parser.add_argument("--quiet", action="store_true", help="no progress, only problems")


def main(args: argparse.Namespace) -> int:
    from gen.recipe.recipe import Recipe

    known = known_plugins(args)
    recipe = Recipe.read(args.recipe, args.overrides, catalogue=known)
    if args.processes != 1:
        return spread(args.processes)
    if args.smoke:
        from gen.smoke import smoke

        print(smoke(recipe, data_root=args.data_root, device=args.device, known=known))
        return 0

    from gen.running import run

    done = run(recipe, runs=args.runs, data_root=args.data_root, device=args.device, quiet=args.quiet, known=known)
    return finish(done)


def spread(processes: int) -> int:
    """The same command in several processes."""
    from gen.errors import CommandError

    if processes < 1:
        raise CommandError(f"--processes takes 1 or more, got {processes}")

    from gen.launch import launch

    words = sys.argv[1:]
    at = next(i for i, word in enumerate(words) if word.startswith("--processes"))
    return launch(words[:at] + words[at + (1 if "=" in words[at] else 2) :], processes)


def finish(done: Run) -> int:
    """Says where to look; the exit status of a run that ended by itself or by a signal."""
    if int(os.environ.get("RANK", "0")) == 0:
        print(_summary(done))
    return 0 if done.signal is None else 128 + done.signal


def _summary(done: Run) -> str:
    """The run folder, its last figures, its newest pictures, and what to do next."""
    figures = [line for line in done.metrics() if line["kind"] == "evaluate"][-1:]
    values = [(name, f"{v:.4g}") for line in figures for name, v in line.items() if name not in ("kind", "step")]
    folders = sorted((done.path / "samples").glob("step-*"))
    pictures = [("pictures", str(path)) for folder in folders[-1:] for path in sorted(folder.glob("*.png"))]
    following = [("figures", str(done.path / "metrics.jsonl")), ("report", f"gen report {done.path}")]
    if done.signal:
        following.append(("go on", f"gen resume {done.path}"))
    elif done.samplers():
        following.append(("more samples", f"gen sample {done.path} -n 64"))
    rows = [("run", str(done.path)), *values, *pictures, *following]
    return f"{done.state} at step {done.step}\n{table(rows)}"
