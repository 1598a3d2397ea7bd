"""Runs beside each other, read from their folders alone (torch-free): figures with their cards, time, options.

Values are ranked only where their cards agree on how they were measured. What a card says of the run that was measured
(its seed, its sampler, its weights) may differ: that is what is compared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from gen.errors import CheckpointError
from gen.files import read_json
from gen.integrity import read_header
from gen.recipe.plain import read_plain
from gen.rundir import RunFolder

__all__ = ["RunRecord", "best_of", "differing", "flat", "numbers", "read_run"]

OF_THE_RUN = ("seed", "sampler", "weights")
"""What a card says of the run rather than of the ruler."""


@attrs.frozen
class RunRecord:
    """What a run's folder says. `figures`: label → the newest record of it, {value, unit, parts, card, step}."""

    path: Path
    figures: Mapping[str, Mapping[str, Any]]
    options: Mapping[str, Any]
    seconds: float | None
    numbers: int | None


def read_run(path: str | Path) -> RunRecord:
    """Reads a run folder (or runs/NAME for its newest).

    Raises:
        CommandError: no run is there.
        CheckpointError: a file of it is damaged.
    """
    folder = RunFolder.open(Path(path))
    trained = [line["seconds"] for line in folder.lines() if line.get("kind") == "train"]
    try:
        content = (folder.path / "resolved.yaml").read_bytes()
    except OSError as error:
        raise CheckpointError(f"{folder.path / 'resolved.yaml'} cannot be read: {error}") from error
    recipe = read_plain(content, str(folder.path / "resolved.yaml"))
    if not isinstance(recipe, dict):
        raise CheckpointError(f"{folder.path / 'resolved.yaml'} is damaged: it should hold a mapping")
    skipped = ("name", "about", "evaluate", "save", "track", "gen")
    options = {name: value for name, value in recipe.items() if name not in skipped}
    return RunRecord(folder.path, _figures(folder.path), flat(options), max(trained, default=None), numbers(folder))


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Nested mappings and lists as one mapping from dotted paths; `use` stands at the path of its component."""
    if isinstance(value, Mapping) and value:
        pairs: Any = value.items()
    elif isinstance(value, list) and value:
        pairs = enumerate(value)
    else:
        return {path: value}
    found: dict[str, Any] = {}
    for name, inner in pairs:
        found |= flat(inner, path if name == "use" else f"{path}.{name}".lstrip("."))
    return found


def differing(runs: Sequence[RunRecord]) -> list[str]:
    """The paths of the options that are not the same in all runs, in the order of the recipes."""
    paths = dict.fromkeys(path for run in runs for path in run.options)
    return [path for path in paths if any(_option(run, path) != _option(runs[0], path) for run in runs)]


def best_of(label: str, runs: Sequence[RunRecord]) -> tuple[int | None, str]:
    """The number of the run with the best value of a metric, or None and why there is no ranking.

    Runs without the metric do not count; with fewer than two values there is nothing to rank and nothing to say.
    """
    have = [(number, run.figures[label]) for number, run in enumerate(runs) if label in run.figures]
    have = [(number, figure) for number, figure in have if figure["value"] is not None]
    if len(have) < 2:
        return None, ""
    number, first = have[0]
    for other, figure in have[1:]:
        one, two = _ruler(first), _ruler(figure)
        odd = [name for name in {**one, **two} if one.get(name) != two.get(name)]
        if odd:
            said = "; ".join(f"{name}: {one.get(name, 'absent')} and {two.get(name, 'absent')}" for name in odd)
            return None, f"{runs[number].path} and {runs[other].path} were measured differently: {said}"
    higher = first["card"].get("better") == "higher"
    return (max if higher else min)(have, key=lambda pair: pair[1]["value"])[0], ""


def _option(run: RunRecord, path: str) -> Any:
    return run.options.get(path, "\0absent")


def _ruler(figure: Mapping[str, Any]) -> dict[str, Any]:
    """The lines of a card that must agree, flat; the unit belongs to it."""
    card = {name: value for name, value in figure["card"].items() if name not in OF_THE_RUN}
    return {"unit": figure["unit"], **flat(card)}


def _figures(path: Path) -> dict[str, Mapping[str, Any]]:
    """The newest record of every label: by step, and for one step the last `gen eval`."""
    found: dict[str, Mapping[str, Any]] = {}
    for file in sorted((path / "evaluate").glob("step-*.json"), key=lambda file: file.stem):
        record = read_json(file)
        if not isinstance(record, dict):
            raise CheckpointError(f"{file} is damaged: it should hold a mapping")
        for label, figure in record.items():
            if not (isinstance(figure, dict) and {"value", "unit", "parts", "card"} <= figure.keys()):
                raise CheckpointError(f"{file} is damaged: {label} has no value with a card")
            found[label] = {**figure, "step": int(file.stem.split("-")[1])}
    return found


def numbers(folder: RunFolder) -> int | None:
    """How many numbers the model's raw weights hold, buffers included, from the header of the file."""
    try:
        config = read_json(folder.model / "config.json")
        name = config["files"]["raw"]["file"]  # type: ignore[index,call-overload]
        header = read_header(folder.model / Path(str(name)).name)
        return sum(int(math.prod(entry["shape"])) for tensor, entry in header.items() if tensor != "__metadata__")
    except (CheckpointError, OSError, KeyError, TypeError):
        return None
