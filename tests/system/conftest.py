"""Fixtures: `gen` command lines in processes of their own, recipes over the toys, and what a run left behind."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import pytest
import torch
import yaml

from gen import checkpoint

TOYS = Path(__file__).parents[1] / "toys.py"
PATIENCE = 120.0  # seconds; only a hang waits so long, whatever the load of the machine


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie that nobody has asked for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@attrs.define
class Started:
    """A `gen` process that has been started."""

    process: Any
    output: Path

    @property
    def pid(self) -> int:
        return int(self.process.pid)

    @property
    def err(self) -> str:
        return self._read("err")

    @property
    def out(self) -> str:
        return self._read("out")

    def _read(self, ending: str) -> str:
        path = self.output.with_suffix(f".{ending}")
        return path.read_text() if path.is_file() else ""

    def wait(self) -> int:
        """The exit status; minus the signal where one killed the process."""
        self.process.join(PATIENCE)
        if self.process.exitcode is None:
            self.process.kill()
            pytest.fail(f"gen hangs; it said:\n{self.out}\n{self.err}")
        return int(self.process.exitcode)

    def children(self) -> list[int]:
        """Its data workers, or the processes it has launched (by any of its threads)."""
        return [
            int(pid) for file in Path(f"/proc/{self.pid}/task").glob("*/children") for pid in file.read_text().split()
        ]

    def kill(self) -> None:
        """SIGKILL to the process and its data workers, as a machine short of memory or a scheduler would."""
        children = self.children()
        self.process.kill()
        assert self.wait() == -signal.SIGKILL
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        limit = time.monotonic() + PATIENCE
        while any(map(alive, children)) and time.monotonic() < limit:
            time.sleep(0.001)

    def wait_for(self, condition: Callable[[], object]) -> None:
        """Until the condition holds, which must be while the process is alive."""
        limit = time.monotonic() + PATIENCE
        while not condition():
            if self.process.exitcode is not None or time.monotonic() > limit:
                pytest.fail(f"what was waited for never came (status {self.process.exitcode}):\n{self.out}\n{self.err}")
            time.sleep(0.001)


@attrs.define
class Ended:
    """A command line that has ended."""

    status: int
    out: str
    err: str


class Commands:
    """Starts `gen` command lines in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0
        self._context = multiprocessing.get_context("forkserver")
        self._target = sys.modules["gen_child"].command_line

    def start(self, *words: object, env: dict[str, str] | None = None, toys: bool = True) -> Started:
        """Starts one process; `toys` gives it the toy plugin."""
        self._count += 1
        output = self.folder / f".said-{self._count}"
        line = [*map(str, words), *(["--plugin", str(TOYS)] if toys else [])]
        process = self._context.Process(target=self._target, args=(line, str(self.folder), str(output), env or {}))
        process.start()
        return Started(process, output)

    def __call__(self, *words: object, env: dict[str, str] | None = None, toys: bool = True) -> Ended:
        """Carries out one command line."""
        started = self.start(*words, env=env, toys=toys)
        return Ended(started.wait(), started.out, started.err)

    def world(self, *words: object, size: int = 2) -> list[Started]:
        """The processes that a launcher would start, over gloo."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        common = {
            "WORLD_SIZE": str(size),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port,
            "LOCAL_WORLD_SIZE": str(size),
        }
        return [self.start(*words, env={**common, "RANK": str(r), "LOCAL_RANK": str(r)}) for r in range(size)]

    def recipe(self, mapping: dict[str, Any], name: str = "recipe.yaml") -> Path:
        """Writes a recipe and returns its path."""
        path = self.folder / name
        path.write_text(yaml.safe_dump(mapping, sort_keys=False))
        return path


@pytest.fixture(scope="session", autouse=True)
def _fork_server() -> Iterator[None]:
    """A process that has imported torch and forks every child of these tests."""
    here = str(Path(__file__).parent)
    before = os.environ.get("PYTHONPATH")
    sys.path.insert(0, here)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [here, before]))
    __import__("gen_child")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["gen_child", "pytest"])
    from multiprocessing import forkserver

    forkserver.ensure_running()
    yield
    sys.path.remove(here)
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


@pytest.fixture
def gen(tmp_path: Path) -> Commands:
    """`gen(...)` carries out a command line in a fresh folder."""
    return Commands(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Commands:
    """The same, in a folder that the tests of a module share."""
    return Commands(tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="session")
def tensors() -> Callable[..., dict[str, torch.Tensor]]:
    """Everything a checkpoint of a run holds, by file and name; the newest, or that of a step."""

    def read(run: Path, step: int | None = None) -> dict[str, torch.Tensor]:
        folder = run / "checkpoints"
        path = checkpoint.newest(folder)[0] if step is None else folder / f"step-{step:08d}"
        assert path is not None
        found = checkpoint.load(path)
        return {f"{stem}:{name}": t for stem, held in found.tensors.items() for name, t in held.items()}

    return read


@pytest.fixture(scope="session")
def status() -> Callable[[Path], dict[str, Any]]:
    """A run's status.json."""

    def read(run: Path) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((run / "status.json").read_text())
        return found

    return read


@pytest.fixture(scope="session")
def lines() -> Callable[[Path], int]:
    """How many whole lines metrics.jsonl has."""

    def count(run: Path) -> int:
        path = run / "metrics.jsonl"
        return path.read_bytes().count(b"\n") if path.is_file() else 0

    return count
