"""The run folder: runs/NAME/0001/ with the recipe, what happened, and what came of it.

recipe.yaml  resolved.yaml  run.json  status.json  metrics.jsonl  log.txt
checkpoints/step-…/   samples/step-…/*.png   evaluate/step-….json   model/
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from gen.errors import CheckpointError, CommandError, Stopped
from gen.files import dump_json, read_json, write_whole

__all__ = ["RunFolder"]


class RunFolder:
    """One execution's folder. Only one process may write it: `lock` holds it while a run goes on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / "checkpoints"
        self.samples = path / "samples"
        self.model = path / "model"
        self.metrics = path / "metrics.jsonl"
        self._lock: IO[str] | None = None
        self._metrics: IO[str] | None = None

    @classmethod
    def create(cls, runs: Path, name: str) -> RunFolder:
        """The next free number under runs/NAME, made by an exclusive mkdir: safe for parallel starts."""
        parent = runs / name
        try:
            parent.mkdir(parents=True, exist_ok=True)
            taken = [int(p.name) for p in parent.iterdir() if p.name.isdecimal()]
            number = max(taken, default=0) + 1
            while True:
                try:
                    (parent / f"{number:04d}").mkdir()
                    break
                except FileExistsError:
                    number += 1
        except OSError as error:
            where = f"cannot make a run folder under {parent}: {error.strerror}"
            raise Stopped(f"{where}. Choose another place with --runs DIR") from error
        folder = cls(parent / f"{number:04d}")
        folder.checkpoints.mkdir()
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """An existing run; runs/NAME alone means its newest run.

        Raises:
            CommandError: no run is there.
        """
        if path.is_dir() and not (path / "run.json").is_file():
            numbered = sorted(p for p in path.iterdir() if p.name.isdecimal() and (p / "run.json").is_file())
            path = numbered[-1] if numbered else path
        if not (path / "run.json").is_file():
            raise CommandError(f"{path} is not a run folder: it has no run.json (gen ls runs lists the runs)")
        return cls(path)

    def lock(self) -> None:
        """Claims the folder for this process until it ends.

        Raises:
            CommandError: another process is writing it.
        """
        handle = (self.path / ".lock").open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.seek(0)
            owner = handle.read().strip() or "unknown"
            handle.close()
            raise CommandError(
                f"{self.path} is being written by another process (pid {owner}): stop it first"
            ) from None
        os.register_at_fork(after_in_child=handle.close)  # data workers must not hold the claim of a killed parent
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        self._lock = handle

    def close(self) -> None:
        """Ends the claim and closes the metrics."""
        for handle in (self._metrics, self._lock):
            if handle is not None:
                handle.close()
        self._metrics = self._lock = None

    def record(self, name: str, value: dict[str, Any]) -> None:
        """Writes a JSON file of the run whole."""
        write_whole(self.path / name, dump_json(value))

    def read(self, name: str) -> dict[str, Any]:
        """A JSON file of the run."""
        value: Any = read_json(self.path / name)
        if not isinstance(value, dict):
            raise CheckpointError(f"{self.path / name} is damaged: it should hold a mapping")
        return value

    def status(self, state: str, step: int, steps: int, reason: str = "") -> None:
        """running, done, stopped or failed; how far; why."""
        now = round(time.time(), 3)
        self.record("status.json", {"state": state, "step": step, "steps": steps, "reason": reason, "heartbeat": now})

    def append(self, line: Mapping[str, Any]) -> None:
        """Adds one line to metrics.jsonl."""
        if self._metrics is None:
            self._metrics = self.metrics.open("a", encoding="utf-8")
        self._metrics.write(json.dumps(line, allow_nan=True) + "\n")
        self._metrics.flush()

    def lines(self) -> list[dict[str, Any]]:
        """metrics.jsonl so far; a last line cut short by a kill is left out."""
        found: list[dict[str, Any]] = []
        if self.metrics.is_file():
            for text in self.metrics.read_text(encoding="utf-8").splitlines():
                try:
                    found.append(json.loads(text))
                except json.JSONDecodeError:
                    break
        return found

    def rewind(self, step: int) -> None:
        """Drops the lines after `step`: the steps that a resumed run will do again."""
        kept = [line for line in self.lines() if line["step"] <= step]
        write_whole(self.metrics, "".join(json.dumps(line, allow_nan=True) + "\n" for line in kept))

    def log(self, text: str) -> None:
        """Adds a line with the time to log.txt."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        with (self.path / "log.txt").open("a", encoding="utf-8") as handle:
            handle.write(f"{stamp} {text}\n")

    def step_folder(self, parent: Path, step: int) -> Path:
        return parent / f"step-{step:08d}"
