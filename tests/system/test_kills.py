"""A run that is killed at random moments, and resumed until it is done, ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import pytest
import torch

STEPS = 200
KILLS = 4
VARIANTS = {
    "one phase": {},
    "two phases": {"family": "two"},
    "accumulation": {"train": {"steps": STEPS, "log": 4, "accumulate": 4, "ema": {"decay": 0.9}}},
    "workers": {"data": {"use": "local/points", "batch": 16, "lazy": True, "workers": 2}},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_killed_and_resumed_run_ends_bit_identical(variant, gen, toy_recipe, tensors, lines, status):
    """Killed between two steps, or while a checkpoint is written; an epoch has 6 steps, a save comes every 20."""
    defaults = {
        "train": {"steps": STEPS, "log": 4, "ema": {"decay": 0.9}},
        "save": {"every": 20},
        "evaluate": {"every": 100},
    }
    recipe = gen.recipe(toy_recipe(**{**defaults, **VARIANTS[variant]}))
    assert gen("run", recipe, "--runs", "whole").status == 0
    whole = next(gen.folder.glob("whole/*/0001"))
    run = Path(str(whole).replace("whole", "killed", 1))
    chance = random.Random(f"{variant} 1")

    for kill, step in enumerate(sorted(chance.sample(range(25, STEPS - 10), KILLS))):
        words = ("run", recipe, "--runs", "killed") if kill == 0 else ("resume", run)
        started = gen.start(*words)
        started.wait_for(lambda step=step: lines(run) >= step // 4 and list(run.glob("checkpoints/step-*")))
        if chance.random() < 0.5:
            started.wait_for(lambda: list(run.glob("checkpoints/.tmp-step-*")))
        started.kill()
    ended = gen("resume", run)

    assert ended.status == 0, ended.err
    assert status(run)["state"] == "done"
    expected, found = tensors(whole, STEPS), tensors(run, STEPS)
    assert expected.keys() == found.keys()
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []


def test_the_folder_of_a_killed_run_is_free_at_once(gen, toy_recipe, lines):
    """The orphaned data workers notice a few seconds later; the lock is not theirs to keep."""
    data = {"use": "local/points", "batch": 16, "lazy": True, "workers": 2}
    recipe = gen.recipe(toy_recipe(data=data, train={"steps": 5000}))
    started = gen.start("run", recipe)
    run = gen.folder / "runs" / "toy-one" / "0001"
    started.wait_for(lambda: list(run.glob("checkpoints/step-*")))
    os.kill(started.pid, signal.SIGKILL)
    started.wait()

    assert gen("resume", run, "train.steps=20").status == 0
