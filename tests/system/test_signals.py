"""Ctrl-C and SIGTERM: the step is finished and saved, and the run goes on as if nothing had happened."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import torch

from gen import checkpoint


@pytest.fixture
def long(gen, toy_recipe):
    """A recipe of more steps than a test waits for; saves are rare, so that a signal comes between two."""

    def make(**sections):
        train = {"steps": 100_000, "log": 20, "ema": {"decay": 0.9}, "accumulate": 2}
        return gen.recipe(
            toy_recipe(**{"train": train, "save": {"every": 50_000}, "evaluate": {"every": 50_000}, **sections})
        )

    return make


def assert_ends_like(gen, recipe, run: Path, tensors, step: int, more: int = 30) -> None:
    """Resumed for some steps more, the run is what an uninterrupted one of as many steps is."""
    ended = gen("resume", run, f"train.steps={step + more}")
    assert ended.status == 0, ended.err
    whole = gen("run", recipe, f"train.steps={step + more}", "--runs", "whole")
    assert whole.status == 0, whole.err
    expected, found = tensors(next(gen.folder.glob("whole/*/0001"))), tensors(run)
    assert expected.keys() == found.keys()
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("family", ["one", "two"])
def test_a_signal_saves_the_finished_step_and_the_run_goes_on(number, family, gen, long, tensors, lines, status):
    recipe = long(family=family)
    started = gen.start("run", recipe)
    run = gen.folder / "runs" / f"toy-{family}" / "0001"
    started.wait_for(lambda: lines(run) >= 2)
    os.kill(started.pid, number)

    assert started.wait() == 128 + number
    now = status(run)
    assert (now["state"], now["reason"]) == ("stopped", f"signal {int(number)}")
    assert checkpoint.steps(run / "checkpoints") == [now["step"]]
    assert "stopping: the step will be finished and saved; once more to leave at once" in started.err
    assert f"stopped at step {now['step']}" in started.out
    assert f"gen resume {run.relative_to(gen.folder)}" in started.out
    assert "Traceback" not in started.err
    assert_ends_like(gen, recipe, run, tensors, now["step"])


def test_a_signal_with_data_workers_alive_leaves_none_behind(gen, long, tensors, lines, status):
    """A terminal sends Ctrl-C to the workers too: to the whole group."""
    recipe = long(data={"use": "local/points", "batch": 16, "lazy": True, "workers": 2})
    started = gen.start("run", recipe)
    run = gen.folder / "runs" / "toy-one" / "0001"
    started.wait_for(lambda: lines(run) >= 2)
    workers = started.children()
    for pid in (*workers, started.pid):
        os.kill(pid, signal.SIGINT)

    assert started.wait() == 130
    assert len(workers) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert_ends_like(gen, recipe, run, tensors, status(run)["step"])


def test_a_second_signal_leaves_at_once_and_the_newest_checkpoint_is_whole(gen, long, lines):
    """The second comes while the first is being answered, or after; either way nothing is torn."""
    recipe = long(save={"every": 10})
    started = gen.start("run", recipe)
    run = gen.folder / "runs" / "toy-one" / "0001"
    started.wait_for(lambda: lines(run) >= 2)
    os.kill(started.pid, signal.SIGINT)
    started.wait_for(lambda: "once more to leave at once" in started.err)
    os.kill(started.pid, signal.SIGINT)

    assert started.wait() == 130
    newest, warnings = checkpoint.newest(run / "checkpoints")
    assert newest is not None
    assert warnings == []
    checkpoint.verify(newest)


def test_the_handler_leaves_at_once_on_a_second_signal():
    """In a process of its own: the first signal is noted, the second ends it with its own status."""
    from gen.stopping import StopSignals

    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        with StopSignals() as signals:
            os.kill(os.getpid(), signal.SIGTERM)
            noted = signals.caught == signal.SIGTERM
            os.kill(os.getpid(), signal.SIGINT)
            os._exit(9 if noted else 8)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 130


@pytest.mark.parametrize("target", ["both", "second"])
def test_a_signal_to_any_process_stops_all_at_the_same_step(target, gen, long, tensors, lines, status):
    recipe = long()
    processes = gen.world("run", recipe)
    run = gen.folder / "runs" / "toy-one" / "0001"
    processes[0].wait_for(lambda: lines(run) >= 2)
    for one in processes if target == "both" else processes[1:]:
        os.kill(one.pid, signal.SIGTERM)

    assert [one.wait() for one in processes] == [143, 143]
    step = status(run)["step"]
    assert checkpoint.steps(run / "checkpoints") == [step]
    assert {"rank-0:count/model", "rank-1:count/model"} <= tensors(run).keys()
    resumed = gen.world("resume", run, f"train.steps={step + 10}")
    assert [one.wait() for one in resumed] == [0, 0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_launcher_is_answered_by_all_and_leaves_no_orphan(number, gen, long, lines, status):
    started = gen.start("run", long(), "--processes", "2")
    run = gen.folder / "runs" / "toy-one" / "0001"
    started.wait_for(lambda: lines(run) >= 2)
    workers = started.children()
    os.kill(started.pid, number)

    assert started.wait() == 128 + number, started.err
    assert len(workers) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    now = status(run)
    assert (now["state"], now["reason"]) == ("stopped", f"signal {int(number)}")
    assert checkpoint.steps(run / "checkpoints") == [now["step"]]
    assert "Traceback" not in started.err
