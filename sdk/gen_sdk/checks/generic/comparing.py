"""What the generic checks share: perturbed instances, answers under a seed, comparisons of answers by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gen_sdk.checks.check import Failure, expect
from gen_sdk.checks.subject import Subject, seeded

__all__ = ["answered", "apart", "called", "expect_same", "outputs", "perturbed", "rowwise", "tensors"]


def tensors(subject: Subject) -> str:
    """Applies to modules."""
    return "" if subject.tensors else f"a {subject.spec.kind} holds no tensors"


def called(subject: Subject) -> str:
    """Applies to kinds that the kit knows how to call."""
    return "" if subject.called else f"the kit does not know what a {subject.spec.kind} is called with"


def rowwise(subject: Subject) -> str:
    """Applies to modules that the kit knows how to call."""
    return tensors(subject) or called(subject)


def perturbed(subject: Subject, size: float = 0.05, **how: Any) -> Any:
    """An instance whose parameters have all moved a little, so that outputs that start at zero no longer are."""
    part = subject.make(**how)
    rng = torch.Generator().manual_seed(1)
    if subject.tensors:
        with torch.no_grad():
            for parameter in part.parameters():
                parameter.add_((size * torch.randn(parameter.shape, generator=rng)).to(parameter.dtype))
    return part


def outputs(found: Any) -> dict[str, Tensor]:
    """What a component gave, by name.

    Raises:
        Failure: something of it is no tensor.
    """
    named = dict(found) if isinstance(found, Mapping) else {"output": found}
    for name, value in named.items():
        if not isinstance(value, Tensor):
            raise Failure(f"{name} is a {type(value).__name__}, no tensor")
    return named


def answered(subject: Subject, part: Any, inputs: tuple[Tensor, ...], seed: int = 5) -> dict[str, Tensor]:
    """What it answers under a seed, without gradients."""
    with seeded(seed), torch.no_grad():
        return outputs(subject.answers(part, inputs))


def apart(found: Tensor, wanted: Tensor) -> float:
    """The largest difference over the largest value (or over 1e-6, where that is less)."""
    if not wanted.numel():
        return 0.0
    found, wanted = found.detach().double(), wanted.detach().double()
    return float((found - wanted).abs().max() / wanted.abs().max().clamp_min(1e-6))


def expect_same(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], what: str, within: float = 0.0) -> None:
    """Answers agree by name: shapes, finiteness, and values to the last bit or `within` of the largest."""
    expect(found.keys() == wanted.keys(), f"{what}: answers {sorted(found)}, not {sorted(wanted)}")
    for name, tensor in wanted.items():
        shape, other = tuple(tensor.shape), tuple(found[name].shape)
        expect(shape == other, f"{what}: {name} has the shape {other}, not {shape}")
        if torch.equal(found[name], tensor):
            continue
        expect(bool(found[name].isfinite().all()), f"{what}: {name} is not finite")
        gap = apart(found[name], tensor)
        expect(gap <= within, f"{what}: {name} differs by {gap:.1e} of its largest value, {within:.0e} is allowed")
