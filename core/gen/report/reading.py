"""What is left of a run: every file of its folder that can be read, and in plain words what cannot.

Nothing is required to be there, and nothing is believed: a report can be made of a run that died, that still goes on,
or that a stranger sent. No torch, no plugin.
"""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import attrs

from gen.comparison import numbers
from gen.errors import CommandError, GenError
from gen.files import open_regular, read_json, size_text
from gen.recipe.plain import read_plain
from gen.rundir import RunFolder

__all__ = ["RunFiles", "Shot", "find_run", "finite", "is_number", "read_files", "titles"]

MARKS = ("run.json", "status.json", "metrics.jsonl", "resolved.yaml", "recipe.yaml", "samples")
"""A folder that holds one of these is a run."""

MOST = 64 * 2**20
TEXT = 64 * 2**10
STEP = re.compile(r"step-(\d{1,15})(-eval-\d+)?")
SILENT = 60.0  # seconds without a sign of life after which a run without a process counts as dead


@attrs.frozen
class Shot:
    """A picture file of a run. `kind`: samples, or evaluate (drawn by a metric)."""

    kind: str
    label: str
    step: int
    path: Path


@attrs.define
class RunFiles:
    """A run's files, each empty where it is missing or damaged. `problems` says so, one sentence each.

    `figures`: label → the newest record of a metric, {value, unit, parts, card, step, file}. `pid`: the last writer.
    `title` tells it from the other runs of the report.
    """

    path: Path
    title: str = ""
    status: Mapping[str, Any] = attrs.field(factory=dict)
    run: Mapping[str, Any] = attrs.field(factory=dict)
    config: Mapping[str, Any] = attrs.field(factory=dict)
    written: str = ""
    resolved: str = ""
    train: list[dict[str, Any]] = attrs.field(factory=list)
    evaluated: list[dict[str, Any]] = attrs.field(factory=list)
    figures: dict[str, dict[str, Any]] = attrs.field(factory=dict)
    shots: list[Shot] = attrs.field(factory=list)
    warnings: list[str] = attrs.field(factory=list)
    numbers: int | None = None
    pid: int | None = None
    problems: list[str] = attrs.field(factory=list)

    @property
    def beat(self) -> float | None:
        """The last sign of life, in seconds since 1970."""
        value = self.status.get("heartbeat")
        return finite(value) if is_number(value) else None

    def state(self, now: float | None = None) -> str:
        """done, stopped, failed, running; dead: says running, but nobody writes it; unknown: says nothing."""
        said = self.status.get("state")
        if said != "running":
            return said if said in ("done", "stopped", "failed") else "unknown"
        quiet = self.beat is None or (time.time() if now is None else now) - self.beat > SILENT
        return "dead" if quiet and not _alive(self.pid) else "running"


def find_run(path: Path) -> Path:
    """The run folder at a path; runs/NAME means its newest.

    Raises:
        CommandError: no run is there.
    """
    try:
        if path.is_dir() and not _is_run(path):
            inner = sorted((p for p in path.iterdir() if p.name.isdecimal() and _is_run(p)), key=lambda p: int(p.name))
            path = inner[-1] if inner else path
        if _is_run(path):
            return path
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error
    raise CommandError(f"{path} is not a run folder: it has none of {', '.join(MARKS)} (gen ls runs lists the runs)")


def titles(paths: Sequence[Path]) -> list[str]:
    """NAME/0001 for every run, with as many folders above as it takes to tell them apart."""
    parts = [path.resolve().parts for path in paths]
    size = next((n for n in range(2, 12) if len({names[-n:] for names in parts}) == len(set(parts))), 12)
    return ["/".join(names[-size:]) for names in parts]


def read_files(path: Path, title: str) -> RunFiles:
    """Everything of a run that can be read.

    Raises:
        CommandError: no run is there.
    """
    found = RunFiles(find_run(path), title)
    found.status = _mapping(found, "status.json", "how the run ended is unknown")
    found.run = _mapping(found, "run.json", "versions, command and data of the run are unknown")
    found.written = _text(found, "recipe.yaml", "the recipe as written is not shown")
    found.resolved = _text(found, "resolved.yaml", "the options of the run are not shown")
    if found.resolved:
        config = _tried(found, lambda: read_plain(found.resolved.encode(), str(found.path / "resolved.yaml")))
        found.config = config if isinstance(config, dict) else {}
    _lines(found)
    _figures(found)
    found.shots = list(_shots(found.path))
    if not found.shots:
        found.problems.append("There are no pictures: nothing was sampled, or samples/ is gone.")
    found.warnings = _warnings(found.path / "log.txt")
    found.numbers = numbers(RunFolder(found.path))
    found.pid = _pid(found.path / ".lock")
    return found


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value of a file is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def finite(value: float) -> float:
    """A number as a float; what is beyond the range of drawing counts as infinite."""
    return float(value) if abs(value) < 1e300 else math.inf


def _is_run(path: Path) -> bool:
    return any((path / name).exists() for name in MARKS)


def _tried(found: RunFiles, read: Callable[[], Any]) -> Any:
    """What `read` gives; None, and a problem, where the file is damaged."""
    try:
        return read()
    except (GenError, RecursionError) as error:
        found.problems.append(f"{str(error).splitlines()[0][:300]}.")
        return None


def _mapping(found: RunFiles, name: str, so: str) -> Mapping[str, Any]:
    if not (found.path / name).exists():
        found.problems.append(f"{name} is not there: {so}.")
        return {}
    value = _tried(found, lambda: read_json(found.path / name))
    if isinstance(value, dict):
        return value
    if value is not None:
        found.problems.append(f"{name} is damaged: it should hold a mapping.")
    return {}


def _bytes(path: Path, limit: int) -> tuple[bytes, bool]:
    """Up to `limit` bytes of a regular file, and whether that is all of it."""
    with open_regular(path) as file:
        data = file.read(limit + 1)
    return data[:limit], len(data) <= limit


def _text(found: RunFiles, name: str, so: str) -> str:
    if not (found.path / name).exists():
        found.problems.append(f"{name} is not there: {so}.")
        return ""
    read = _tried(found, lambda: _bytes(found.path / name, TEXT))
    if read is None:
        return ""
    if not read[1]:
        found.problems.append(f"{name} is longer than {size_text(TEXT)}: the rest is not read.")
    return str(read[0].decode("utf-8", errors="replace"))


def _lines(found: RunFiles) -> None:
    """The lines of metrics.jsonl: those of training, and those of evaluations on the way."""
    path = found.path / "metrics.jsonl"
    if not path.exists():
        found.problems.append("metrics.jsonl is not there: there are no curves.")
        return
    read = _tried(found, lambda: _bytes(path, MOST))
    if read is None:
        return
    data, whole = read
    if not whole:
        found.problems.append(f"metrics.jsonl is longer than {size_text(MOST)}: the rest is not read.")
    wrong = 0
    for text in data.splitlines():
        line = _line(text)
        if line is None:
            wrong += 1
        elif line["kind"] in ("train", "evaluate"):
            (found.train if line["kind"] == "train" else found.evaluated).append(line)
    if wrong:
        one = "1 line of metrics.jsonl is" if wrong == 1 else f"{wrong:,} lines of metrics.jsonl are"
        found.problems.append(f"{one} cut short or damaged, and left out.")


def _line(text: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    sound = isinstance(line, dict) and isinstance(line.get("kind"), str) and isinstance(line.get("step"), int)
    return line if sound and not isinstance(line["step"], bool) and 0 <= line["step"] < 10**15 else None


def _figures(found: RunFiles) -> None:
    """The newest record of every metric: by step, and for one step the last `gen eval`."""
    files = [(match, file) for file in _sorted(found.path / "evaluate") if (match := STEP.fullmatch(file.stem))]
    for match, file in sorted(files, key=lambda pair: (int(pair[0][1]), pair[1].stem)):
        if file.suffix != ".json":
            continue
        record = _tried(found, lambda file=file: read_json(file))  # type: ignore[misc]
        for label, figure in record.items() if isinstance(record, dict) else ():
            if not (isinstance(figure, dict) and isinstance(figure.get("card"), dict) and "value" in figure):
                found.problems.append(f"evaluate/{file.name} is damaged: {label[:80]} has no value with a card.")
                continue
            parts = figure.get("parts")
            found.figures[label] = {
                "value": figure["value"] if is_number(figure["value"]) else None,
                "unit": str(figure.get("unit", "")),
                "parts": {k: v for k, v in parts.items() if is_number(v)} if isinstance(parts, dict) else {},
                "card": figure["card"],
                "step": int(match[1]),
                "file": f"evaluate/{file.name}",
            }


def _shots(path: Path) -> Iterator[Shot]:
    """Pictures by kind, label and step; of two of one step the newer evaluation comes later."""
    found: dict[tuple[str, str, int], Shot] = {}
    for kind in ("samples", "evaluate"):
        for folder in _sorted(path / kind):
            match = STEP.fullmatch(folder.name)
            if match is None or folder.is_symlink() or not folder.is_dir():
                continue
            for file in _sorted(folder):
                if file.suffix == ".png" and not file.name.startswith("."):
                    found[kind, file.stem, int(match[1])] = Shot(kind, file.stem, int(match[1]), file)
    yield from sorted(found.values(), key=lambda shot: (shot.kind != "samples", shot.label, shot.step))


def _sorted(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _warnings(path: Path) -> list[str]:
    """The last lines of log.txt that warn."""
    try:
        text = _bytes(path, MOST)[0].decode("utf-8", errors="replace")
    except GenError:
        return []
    return [line[:300] for line in text.splitlines() if " WARNING " in line or " ERROR " in line][-20:]


def _pid(path: Path) -> int | None:
    try:
        text = _bytes(path, 20)[0].decode("ascii", errors="replace").strip()
    except GenError:
        return None
    return int(text) if re.fullmatch(r"[1-9]\d{0,8}", text) else None


def _alive(pid: int | None) -> bool:
    """Whether a process of this machine has this number."""
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return True
