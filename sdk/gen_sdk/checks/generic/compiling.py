"""That torch.compile takes a component as one graph: a network's forward, a model's phases."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from gen.turns import PhaseModule
from gen_sdk.checks.calling import NETWORKS, STEP, batch_of
from gen_sdk.checks.check import Failure, NotHere, check
from gen_sdk.checks.generic.comparing import expect_same, outputs, perturbed
from gen_sdk.checks.subject import Subject, seeded

__all__ = ["CHECKS"]

KINDS = (*NETWORKS, "model")


def _whole(subject: Subject) -> str:
    breaks = subject.trait("breaks")
    return f"it declares: {breaks}" if breaks else ""


@check(
    tier="silver",
    kinds=KINDS,
    applies=_whole,
    hint='leave out .item(), printing and if on tensors, or say in traits["breaks"] why the graph must break',
)
def compiles_as_one_graph(subject: Subject) -> None:
    """torch.compile(fullgraph=True) with the eager backend takes it, and it answers the same."""
    _compiled(subject, "eager", 1e-5)


@check(
    tier="gold",
    kinds=KINDS,
    applies=_whole,
    hint="look for operations that inductor does not lower, and for reductions that overflow once they are fused",
)
def compiles_with_inductor(subject: Subject) -> None:
    """torch.compile(fullgraph=True) with inductor, the backend that trainings use, answers the same."""
    _expect_compiler()
    _compiled(subject, "inductor", 1e-3)


def _expect_compiler() -> None:
    """Raises:
    NotHere: inductor would find no C++ compiler.
    """
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler as error:
        raise NotHere("inductor needs a C++ compiler, and there is none: install g++, or name one in CXX") from error


def _compiled(subject: Subject, backend: str, within: float) -> None:
    part = perturbed(subject)
    part = part if subject.spec.kind == "model" else part.eval()
    inputs = subject.inputs(part, 2)
    for name, function, arguments in _functions(subject, part, inputs):
        torch._dynamo.reset()
        whole: Any = torch.compile(function, fullgraph=True, backend=backend)
        with seeded(5):
            wanted = {name: value.detach() for name, value in outputs(function(*arguments)).items()}
        try:
            with seeded(5), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what torch thinks of its own insides
                found = {name: value.detach() for name, value in outputs(whole(*arguments)).items()}
        except torch._dynamo.exc.TorchDynamoException as error:
            raise Failure(f"{name} does not compile as one graph: {_reason(error)}") from error
        finally:
            torch._dynamo.reset()
        if not (backend == "inductor" and subject.spec.kind == "model"):  # inductor draws other numbers
            expect_same(found, wanted, f"{name} compiled", within)


def _functions(
    subject: Subject, part: Any, inputs: tuple[Tensor, ...]
) -> Iterator[tuple[str, Callable[..., Any], tuple[Any, ...]]]:
    """What is compiled while training: the phases of a model, else the forward."""
    if subject.spec.kind != "model":
        yield "forward", part, inputs
        return
    for phase in part.phases():
        module = PhaseModule(part, phase)
        yield f"the phase {phase.name}", lambda *a, module=module: module(*a).total, (batch_of(part, inputs), STEP)


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    where = next((line for line in lines if line.startswith("Explanation:")), "")
    return f"{lines[0]} {where}".strip()[:300] if lines else type(error).__name__


CHECKS = (compiles_as_one_graph, compiles_with_inductor)
