"""That training can reach every weight, and that a component is a function of its inputs and its generator."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from gen_sdk.checks.calling import ROWS, STEP, batch_of
from gen_sdk.checks.check import Failure, NotApplicable, check, expect
from gen_sdk.checks.generic.comparing import answered, called, expect_same, outputs, perturbed, rowwise
from gen_sdk.checks.subject import Subject, seeded

__all__ = ["CHECKS"]

DRAWS = ("corruption", "transform")
ROUNDING = 1e-4


@check(
    tier="bronze",
    applies=rowwise,
    hint="use the parameter in forward, or make it a buffer; look for detach, round and argmax, for log(0) and 0/0",
)
def gradients_reach_every_parameter(subject: Subject) -> None:
    """With weights moved off their start, every trainable parameter gets a finite gradient that is not zero."""
    part = perturbed(subject).train()
    trainable = {name: p for name, p in part.named_parameters() if p.requires_grad}
    if not trainable:
        raise NotApplicable("it has no trainable parameter")
    reached: set[str] = set()
    for loss, mine in _losses(subject, part):
        for parameter in part.parameters():
            parameter.grad = None
        loss.backward()
        for name, parameter in trainable.items():
            if id(parameter) in mine and parameter.grad is not None:
                expect(bool(parameter.grad.isfinite().all()), f"the gradient of {name} is not finite")
                reached |= {name} if parameter.grad.any() else set()
    dead = sorted(trainable.keys() - reached)
    expect(
        not dead, f"no gradient reaches {', '.join(dead[:5])}{f' and {len(dead) - 5} more' if len(dead) > 5 else ''}"
    )


def _losses(subject: Subject, part: nn.Module) -> Iterator[tuple[Tensor, set[int]]]:
    """Scalars to minimise, each with the parameters it trains: a model's phases, else a projection of the outputs."""
    inputs = subject.inputs(part, 3)
    if subject.spec.kind == "model":
        for phase in part.phases():  # type: ignore[operator]
            with seeded():
                yield (
                    phase.loss(batch_of(part, inputs), STEP).total,
                    {id(p) for one in phase.train for p in one.parameters()},
                )
        return
    with seeded():
        found = outputs(subject.call(part, inputs))
        floats = [value for value in found.values() if value.requires_grad]
        if not floats:
            raise Failure("nothing that it gives depends on its parameters")
        loss = torch.stack([(value * torch.randn_like(value)).sum() for value in floats]).sum()
    yield loss, {id(p) for p in part.parameters()}


@check(
    tier="bronze",
    applies=called,
    hint="draw only from the generator you are handed (or from torch's global one), and only where you declare it",
)
def is_deterministic(subject: Subject) -> None:
    """Equal seeds give equal outputs; a component that does not declare itself stochastic draws nothing in eval."""
    part = perturbed(subject)
    part = part.eval() if subject.tensors else part
    inputs = subject.inputs(part, 3)
    first, again = (_run(subject, part, inputs, seed=1) for _ in range(2))
    expect_same(again, first, "run twice under one seed")
    if subject.spec.kind in DRAWS:
        _draws_from_its_generator(subject, part, inputs)
    elif subject.spec.kind != "model" and not subject.trait("stochastic"):
        expect_same(_run(subject, part, inputs, seed=2), first, "under another seed, not declared stochastic")


def _run(subject: Subject, part: Any, inputs: tuple[Tensor, ...], seed: int) -> dict[str, Tensor]:
    with seeded(seed), torch.no_grad():
        return outputs(subject.call(part, inputs, rng=None))


def _draws_from_its_generator(subject: Subject, part: Any, inputs: tuple[Tensor, ...]) -> None:
    """Handed a generator it draws from that one, and leaves the global one alone."""
    with seeded(1):
        before = torch.get_rng_state()
        first = outputs(subject.call(part, inputs, rng=torch.Generator().manual_seed(3)))
        expect(torch.equal(before, torch.get_rng_state()), "it moves the global generator although it is handed one")
    with seeded(2):
        again = outputs(subject.call(part, inputs, rng=torch.Generator().manual_seed(3)))
    expect_same(again, first, "twice under one generator's seed")


@check(
    tier="bronze", applies=called, hint="write out = x + 1, not x.add_(1), and no inplace=True on what you are handed"
)
def inputs_are_left_alone(subject: Subject) -> None:
    """Neither training nor answering changes a tensor that it is handed."""
    part = perturbed(subject)
    for mode in (True, False):
        part = part.train(mode) if subject.tensors else part
        inputs = subject.inputs(part, 3)
        kept = [tensor.clone() for tensor in inputs]
        with seeded(), torch.no_grad():
            subject.call(part, inputs)
            subject.answers(part, inputs)
        changed = [i for i, (a, b) in enumerate(zip(inputs, kept, strict=True)) if not torch.equal(a, b)]
        expect(not changed, f"it changes its input {', '.join(map(str, changed))} in place")


@check(tier="bronze", applies=rowwise, hint="update statistics, counters and caches only while self.training")
def eval_changes_no_state(subject: Subject) -> None:
    """In eval mode neither losses nor answers change a parameter or buffer."""
    part = perturbed(subject).eval()
    state = {**dict(part.named_parameters()), **dict(part.named_buffers())}
    kept = {name: tensor.detach().clone() for name, tensor in state.items()}
    with seeded(), torch.no_grad():
        inputs = subject.inputs(part, 3)
        subject.call(part, inputs)
        subject.answers(part, inputs)
    after = {**dict(part.named_parameters()), **dict(part.named_buffers())}
    changed = [name for name, tensor in kept.items() if not torch.equal(tensor, after[name])]
    expect(not changed, f"a forward pass in eval mode changes {', '.join(changed)}")


def _in_rows(subject: Subject) -> str:
    mixed = subject.spec.kind not in ROWS
    return called(subject) or (f"answers of a {subject.spec.kind} belong to no single sample" if mixed else "")


@check(
    tier="silver", applies=_in_rows, hint="reduce and normalise over the dimensions of a sample, never over the batch"
)
def rows_are_independent(subject: Subject) -> None:
    """The answer for a sample is the same alone as in a batch; while training too, unless it is declared coupled."""
    part = perturbed(subject)
    modes = [False] if subject.trait("coupled") or not subject.tensors or subject.trait("stochastic") else [False, True]
    for mode in modes:
        part = part.train(mode) if subject.tensors else part
        if mode and _drops(part):
            continue
        inputs = subject.inputs(part, 3)
        together = answered(subject, deepcopy(part), inputs)  # copies: training may move what layers remember
        if any(value.ndim == 0 for value in together.values()):
            raise NotApplicable("what it answers belongs to whole batches")
        for row in range(3):
            alone = answered(subject, deepcopy(part), tuple(tensor[row : row + 1] for tensor in inputs))
            wanted = {name: value[row : row + 1] for name, value in together.items()}
            where = "while training" if mode else "in eval"
            expect_same(alone, wanted, f"sample {row} alone, {where}", ROUNDING)


def _drops(part: nn.Module) -> bool:
    """Whether it has dropout, which draws for the whole batch at once."""
    return any(type(module).__name__.lower().endswith(("dropout", "dropout2d")) for module in part.modules())


CHECKS = (
    gradients_reach_every_parameter,
    is_deterministic,
    inputs_are_left_alone,
    eval_changes_no_state,
    rows_are_independent,
)
