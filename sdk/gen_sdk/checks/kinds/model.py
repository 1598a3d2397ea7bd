"""What a family promises of its training: phases that train their own parts, lower their own loss, and resume."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn

from gen.interfaces import Phase
from gen.types import Batch, Losses, Progress
from gen_sdk.checks.calling import batch_of
from gen_sdk.checks.check import check, expect
from gen_sdk.checks.kinds.probing import expect_equal, expect_shape, seeded
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS", "built"]

KINDS = ("model",)
STEPS = 100
ROUNDS = 12


def built(subject: Subject, batch: int = 6, seed: int = 0, **options: Any) -> tuple[Any, Batch]:
    """A small model in training mode, and a batch for it."""
    model = subject.make(seed=seed, **options)
    return model.train(), batch_of(model, subject.inputs(model, batch, seed=3))


def _has_phases(subject: Subject) -> str:
    return "it is solved in closed form" if "solve" in subject.spec.capabilities else ""


@contextmanager
def turn_of(model: Any, phase: Phase) -> Iterator[list[nn.Parameter]]:
    """As in a training loop: exactly the phase's parameters require gradients, and are given."""
    mine = {id(p): p for part in phase.train for p in part.parameters()}
    before = {id(p): p.requires_grad for p in model.parameters()}
    for parameter in model.parameters():
        parameter.requires_grad_(id(parameter) in mine)
        parameter.grad = None
    yield list(mine.values())
    for parameter in model.parameters():
        parameter.requires_grad_(before[id(parameter)])


def _loss(phase: Phase, batch: Batch, seed: int = 1, step: int = 50) -> Losses:
    """The losses under fixed draws, in the middle of a run."""
    with seeded(seed):
        return phase.loss(batch, Progress(step, STEPS, step))


def _weights(model: Any) -> dict[str, Tensor]:
    return {name: p.detach().clone() for name, p in model.named_parameters()}


@check(
    tier="bronze",
    kinds=KINDS,
    applies=_has_phases,
    hint="state phase_names in the order of phases(); every part has a phase",
)
def phases_are_as_declared(subject: Subject) -> None:
    """Phases have the declared names, train something each, and leave no parameter that no phase trains."""
    model, _ = built(subject)
    phases = list(model.phases())
    names = tuple(phase.name for phase in phases)
    expect(names == tuple(subject.spec.phases), f"phases() gives {names}, phase_names says {subject.spec.phases}")
    expect(len(set(names)) == len(names) and bool(names), f"phases are called {names}")
    trained: set[int] = set()
    for phase in phases:
        own = {id(p) for part in phase.train for p in part.parameters()}
        expect(bool(own), f"the phase {phase.name} trains no parameter")
        trained |= own
    lost = [name for name, p in model.named_parameters() if p.requires_grad and id(p) not in trained]
    expect(not lost, f"no phase trains {', '.join(lost[:5])}")


@check(
    tier="bronze", kinds=KINDS, applies=_has_phases, hint="return Losses(total, terms): scalars, means over the batch"
)
def losses_are_finite_scalars(subject: Subject) -> None:
    """Every phase gives a finite scalar to minimise, with a gradient, and named finite scalars to log."""
    model, batch = built(subject)
    for phase in model.phases():
        with turn_of(model, phase):
            losses = _loss(phase, batch)
        expect_shape(losses.total, (), f"the loss of {phase.name}")
        expect(bool(losses.total.isfinite()), f"the loss of {phase.name} is {losses.total.item()}")
        expect(losses.total.requires_grad, f"the loss of {phase.name} carries no gradient")
        expect(isinstance(losses.terms, dict), f"the terms of {phase.name} are no mapping")
        for name, term in losses.terms.items():
            expect_shape(term, (), f"the term {phase.name}/{name}")
            expect(bool(term.isfinite()), f"the term {phase.name}/{name} is {term.item()}")


@check(
    tier="silver",
    kinds=KINDS,
    applies=_has_phases,
    hint="list in Phase(train=…) what the loss has a gradient for, nothing else",
)
def phases_train_exactly_their_parts(subject: Subject) -> None:
    """A phase's loss has gradients for all its parameters, and neither the loss nor a step changes any other weight."""
    model, batch = built(subject)
    for phase in model.phases():
        names = {id(p): name for name, p in model.named_parameters()}
        with turn_of(model, phase) as mine:
            before = _weights(model)
            _loss(phase, batch).total.backward()
            for name, parameter in model.named_parameters():
                expect_equal(parameter.detach(), before[name], f"{name} while {phase.name} computes its loss")
            missing = [names[id(p)] for p in mine if p.grad is None]
            expect(phase.sparse or not missing, f"{phase.name} trains {', '.join(missing[:4])}, but gives no gradient")
            torch.optim.SGD(mine, lr=1e-2).step()
            with seeded(2):
                model.after_step(phase.name, Progress(50, STEPS))
        own = {names[id(p)] for p in mine}
        moved = [n for n, p in model.named_parameters() if n not in own and not torch.equal(p, before[n])]
        expect(not moved, f"a step of {phase.name} changes {', '.join(moved[:4])}, which it does not train")


@check(
    tier="silver",
    kinds=KINDS,
    applies=_has_phases,
    hint="detach what belongs to the other player, and give each its own parts",
)
def phases_do_not_fight_over_a_part(subject: Subject) -> None:
    """Where two phases train one parameter, their gradients are not opposed: no player moves another's part."""
    model, batch = built(subject)
    pulls: dict[str, dict[str, list[Tensor]]] = {}  # by part, by phase
    for phase in model.phases():
        with turn_of(model, phase):
            _loss(phase, batch).total.backward()
            for name, p in model.named_parameters():
                if p.grad is not None:
                    part = pulls.setdefault(name.partition(".")[0], {})
                    part.setdefault(phase.name, []).append(p.grad.flatten().clone())
    for name, players in pulls.items():
        flat = {player: torch.cat(grads) for player, grads in players.items()}
        for one, other in combinations(flat, 2):
            if len(flat[one]) == len(flat[other]):
                cosine = torch.cosine_similarity(flat[one], flat[other], dim=0).item()
                expect(cosine > -0.8, f"{one} and {other} pull {name} apart (cosine {cosine:.2f}): whose part is it?")


@check(
    tier="silver",
    kinds=KINDS,
    applies=_has_phases,
    hint="return the loss that the phase's gradients lower: look for a wrong sign or detach",
)
def phases_lower_their_own_loss(subject: Subject) -> None:
    """A few steps of one phase on one batch with fixed draws, the other parts frozen, lower its loss."""
    model, _ = built(subject)
    for number, declared in enumerate(subject.spec.phases):
        model, batch = built(subject)
        phase = list(model.phases())[number]
        with turn_of(model, phase) as mine:
            optimizer = torch.optim.Adam(mine, lr=3e-3)
            values = []
            for _ in range(ROUNDS + 1):
                optimizer.zero_grad(set_to_none=True)
                total = _loss(phase, batch).total
                values.append(total.item())
                total.backward()
                optimizer.step()
        first, last = values[0], min(values[-3:])
        expect(last < first, f"{ROUNDS} steps of {declared} take its loss from {first:.5g} to {last:.5g}")


@check(
    tier="silver",
    kinds=KINDS,
    applies=_has_phases,
    hint="keep all state in parameters and persistent buffers, and nothing in attributes",
)
def training_resumes_exactly(subject: Subject) -> None:
    """Two steps, saved, read into a model built anew, and two more end with the very weights of four steps."""
    straight, batch = built(subject)
    _train(straight, batch, _optimizers(straight), 0, 4)
    first, _ = built(subject)
    kept = _optimizers(first)
    _train(first, batch, kept, 0, 2)
    second, _ = built(subject, seed=5)
    second.load_state_dict({name: tensor.clone() for name, tensor in first.state_dict().items()})
    optimizers = _optimizers(second)
    for optimizer, old in zip(optimizers, kept, strict=True):
        optimizer.load_state_dict(old.state_dict())
    _train(second, batch, optimizers, 2, 4)
    wanted = straight.state_dict()
    for name, tensor in second.state_dict().items():
        expect_equal(tensor, wanted[name], f"{name} after a resume, against no interruption")


def _optimizers(model: Any) -> list[torch.optim.Optimizer]:
    parameters = [{id(p): p for part in phase.train for p in part.parameters()} for phase in model.phases()]
    return [torch.optim.Adam(list(own.values()), lr=1e-3) for own in parameters]


def _train(model: Any, batch: Batch, optimizers: list[torch.optim.Optimizer], start: int, end: int) -> None:
    for step in range(start, end):
        for phase, optimizer in zip(model.phases(), optimizers, strict=True):
            with turn_of(model, phase):
                _loss(phase, batch, seed=step, step=step).total.backward()
                optimizer.step()
                with seeded(step):
                    model.after_step(phase.name, Progress(step, STEPS, step))


CHECKS = (
    phases_are_as_declared,
    losses_are_finite_scalars,
    phases_train_exactly_their_parts,
    phases_do_not_fight_over_a_part,
    phases_lower_their_own_loss,
    training_resumes_exactly,
)
