"""That everything a component is lies in its name, its options and its tensors."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from safetensors.torch import load, save

from gen_sdk.checks import fresh
from gen_sdk.checks.check import Failure, NotApplicable, check, expect
from gen_sdk.checks.generic.comparing import answered, expect_same, perturbed, rowwise
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS"]


@check(
    tier="bronze",
    applies=rowwise,
    hint="keep all state in parameters and persistent buffers, and share no tensor between two names",
)
def safetensors_round_trip(subject: Subject) -> None:
    """Another instance, given the saved tensors of the first, answers exactly the same."""
    part, other = perturbed(subject).eval(), subject.make(seed=7).eval()
    try:
        stored = save({name: tensor.contiguous() for name, tensor in part.state_dict().items()})
    except (RuntimeError, AttributeError) as error:
        raise Failure(f"its state is no safetensors file: {str(error).partition(chr(10))[0][:200]}") from error
    other.load_state_dict(load(stored))
    inputs = subject.inputs(part, 2)
    expect_same(answered(subject, other, inputs), answered(subject, part, inputs), "saved and loaded")


@check(
    tier="silver",
    applies=rowwise,
    hint="let nothing but options, wired shapes and saved tensors decide what it computes: no clock, cache or counter",
)
def rebuilt_in_a_fresh_process(subject: Subject) -> None:
    """From its name, options and tensors alone, another process rebuilds it and gets the same answers."""
    found, wanted = fresh.rebuilt(subject)
    expect_same(found, wanted, "rebuilt in a fresh process", 1e-6)


@check(
    tier="bronze",
    applies=rowwise,
    hint="keep no bound method, closure or lambda that refers to self or a layer, and no tensor outside the module",
)
def deep_copy_is_independent(subject: Subject) -> None:
    """A deep copy (an EMA, a frozen reference) answers the same, from tensors of its own."""
    part = perturbed(subject).eval()
    copy: Any = deepcopy(part)
    inputs = subject.inputs(part, 2)
    before = answered(subject, part, inputs)
    if not before:
        raise NotApplicable("it answers nothing without drawing")
    expect_same(answered(subject, copy, inputs), before, "a deep copy")
    moved = list(copy.parameters())
    if not moved:
        raise NotApplicable("it has no parameters to change in a copy")
    with torch.no_grad():
        for parameter in moved:
            parameter.add_(0.5 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2)))
    expect_same(answered(subject, part, inputs), before, "after its copy changed")
    after = answered(subject, copy, inputs)
    still = all(torch.equal(after[name], tensor) for name, tensor in before.items())
    expect(not still, "a deep copy with other weights answers as before: it computes with the original's")


CHECKS = (safetensors_round_trip, rebuilt_in_a_fresh_process, deep_copy_is_independent)
