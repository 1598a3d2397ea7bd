"""What optimizers, learning-rate schedules and trackers promise."""

from __future__ import annotations

import copy
import math
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gen.errors import GenError
from gen.lr_schedules import factor_at
from gen_sdk.checks.check import check, expect
from gen_sdk.checks.kinds.probing import expect_equal, normal
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS"]

OPTIMIZER, SCHEDULE = ("optimizer",), ("lr-schedule",)
CPU = torch.device("cpu")


def _problem(subject: Subject, lr: float, decay: float = 0.0, still: bool = False) -> tuple[list[Any], Any]:
    """Two parameters and their optimizer; the second has a rate of 0 where `still`."""
    parameters = [nn.Parameter(normal(4, seed=1)), nn.Parameter(normal(2, 3, seed=2))]
    rates = (lr, 0.0 if still else lr)
    groups = [{"params": [p], "lr": r, "weight_decay": decay} for p, r in zip(parameters, rates, strict=True)]
    return parameters, subject.make(lr=lr).make(groups, device=CPU)


def _step(parameters: list[Any], optimizer: Any, rounds: int = 1) -> float:
    """Rounds on half the squared distance to 3; returns the distance squared after them."""
    for _ in range(rounds):
        optimizer.zero_grad(set_to_none=True)
        sum(((p - 3).square().sum() / 2 for p in parameters), torch.zeros(())).backward()
        optimizer.step()
    return float(sum((p.detach() - 3).square().sum().item() for p in parameters))


@check(tier="bronze", kinds=OPTIMIZER, hint="step against the gradient, with the rate of the groups")
def optimizer_lowers_a_quadratic(subject: Subject) -> None:
    """From any of three rates, 50 steps bring a quadratic down, and its value stays finite."""
    for lr in (1e-3, 1e-2, 1e-1):
        parameters, optimizer = _problem(subject, lr)
        before = _step(parameters, optimizer, 0)
        after = _step(parameters, optimizer, 50)
        expect(
            math.isfinite(after) and after < before,
            f"with the rate {lr:g} the quadratic goes {before:.3f} → {after:.3f}",
        )


@check(tier="bronze", kinds=OPTIMIZER, hint="pass the groups on as they are: they carry lr and weight_decay")
def optimizer_honours_its_groups(subject: Subject) -> None:
    """A group with rate 0 stays where it is; a group that decays is drawn to 0 where one that does not is not."""
    parameters, optimizer = _problem(subject, 1e-2, still=True)
    kept = parameters[1].detach().clone()
    _step(parameters, optimizer, 3)
    expect_equal(parameters[1].detach(), kept, "the parameters of a group whose rate is 0")
    expect([g["lr"] for g in optimizer.param_groups] == [1e-2, 0.0], "the groups' rates are not the ones handed over")
    sizes = []
    for decay in (0.0, 0.3):
        parameters, optimizer = _problem(subject, 1e-2, decay)
        _step(parameters, optimizer, 30)
        sizes.append(sum(p.detach().sum().item() for p in parameters))
    expect(sizes[0] != sizes[1], "weight_decay of a group changes nothing")


@check(tier="silver", kinds=OPTIMIZER, hint="keep all state in optimizer.state, as tensors and numbers")
def optimizer_resumes(subject: Subject) -> None:
    """An optimizer made anew and given the state of another goes on exactly as that one does."""
    parameters, optimizer = _problem(subject, 1e-2)
    _step(parameters, optimizer, 3)
    others, fresh = _problem(subject, 1e-2)
    with torch.no_grad():
        for mine, theirs in zip(others, parameters, strict=True):
            mine.copy_(theirs)
    fresh.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    _step(parameters, optimizer, 3)
    _step(others, fresh, 3)
    for mine, theirs in zip(others, parameters, strict=True):
        expect_equal(mine.detach(), theirs.detach(), "the parameters three steps after the state was handed over")


@check(tier="bronze", kinds=SCHEDULE, hint="a factor of the rate: 0 or more, finite, and the same at every call")
def factors_are_sound(subject: Subject) -> None:
    """Factors over the whole run are finite and from 0 to 10, start near 1, and are a function of progress alone."""
    schedule = subject.make()
    shares = [i / 200 for i in range(201)]
    found = [schedule.factor(share) for share in shares]
    expect(all(math.isfinite(f) and 0 <= f <= 10 for f in found), f"factors run from {min(found):g} to {max(found):g}")
    expect(found == [schedule.factor(share) for share in shares], "a second round of calls gives other factors")
    expect([schedule.factor(s) for s in reversed(shares)] == found[::-1], "factors depend on the order of the calls")
    expect(max(found) > 0, "the rate is 0 throughout")


@check(
    tier="bronze", kinds=SCHEDULE, hint="let factor(progress) begin where the warm-up ends; it knows nothing of warm-up"
)
def warm_up_is_continuous(subject: Subject) -> None:
    """With 10 steps of warm-up rates rise evenly to the schedule's first factor, without a jump."""
    schedule = subject.make(warmup=10)
    found = [factor_at(schedule, step, 110) for step in range(12)]
    expect(all(b > a for a, b in pairwise(found[:10])), f"warm-up does not rise: {found[:10]}")
    jump = max(abs(b - a) for a, b in pairwise(found))
    expect(jump <= 0.15, f"the rate jumps by {jump:.2f} of itself within or right after the warm-up")


@check(tier="bronze", kinds=("tracker",), hint="return accelerate's name of a tracker or a GeneralTracker; else refuse")
def tracker_is_one_or_refuses(subject: Subject) -> None:
    """It gives what Accelerator(log_with=…) takes, or refuses with a message that says what to install."""
    from accelerate.tracking import GeneralTracker

    with tempfile.TemporaryDirectory() as folder:
        try:
            found = subject.make().tracker(Path(folder), "check")
        except GenError as error:
            expect("install" in str(error), f"the refusal names no remedy: {error}")
            return
        expect(isinstance(found, (str, GeneralTracker)), f"{type(found).__name__} is no tracker that accelerate takes")


CHECKS = (
    optimizer_lowers_a_quadratic,
    optimizer_honours_its_groups,
    optimizer_resumes,
    factors_are_sound,
    warm_up_is_continuous,
    tracker_is_one_or_refuses,
)
