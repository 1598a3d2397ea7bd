"""Shapes and types: what comes out has the shape that was wired, and the type of what went in."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gen_sdk.checks.calling import ANSWERS, NETWORKS
from gen_sdk.checks.check import Failure, NotApplicable, check, expect
from gen_sdk.checks.generic.comparing import apart, called, outputs, perturbed, rowwise
from gen_sdk.checks.subject import Subject, seeded

__all__ = ["CHECKS"]

NEAR = 0.1
LOW = {"bfloat16": torch.bfloat16, "float16": torch.float16}


@check(
    tier="bronze", applies=called, hint="keep the batch in front, also for one sample: name the dimensions you reduce"
)
def shapes_are_as_wired(subject: Subject) -> None:
    """For batches of 1 and 3 and every size, outputs have the shape that the interface states."""
    for size in subject.sizes():
        part = subject.make(size)
        for batch in (1, 3):
            inputs = subject.inputs(part, batch)
            with seeded():
                found = outputs(subject.call(part, inputs))
            for name, value in found.items():
                where = f"size {size}, batch {batch}: {name}"
                _fits(subject.spec.kind, part, inputs, batch, value, where)
                expect(bool(value.isfinite().all()), f"{where} is not finite")


def _fits(kind: str, part: Any, inputs: tuple[Tensor, ...], batch: int, value: Tensor, where: str) -> None:
    shape = tuple(value.shape)
    if kind in ("discriminator", "extractor"):
        scores = shape == (batch,) or (len(shape) == 4 and shape[:2] == (batch, 1))
        good = scores if kind == "discriminator" else len(shape) == 2 and shape[0] == batch
        expect(good, f"{where} has the shape {shape}")
        return
    if kind in ("model", "adversarial-loss"):
        wanted: tuple[int, ...] = ()
    elif kind in NETWORKS:
        wanted = (batch, *part.out_shape)
    elif kind in ("corruption", "transform") or value.ndim > 1:
        return expect(len(value) == batch, f"{where} has {len(value)} rows")
    else:
        wanted = (batch,)
    expect(shape == wanted, f"{where} has the shape {shape}, not {wanted}")


@check(
    tier="bronze", applies=called, hint="make tensors with x.new_zeros or dtype=x.dtype, and call .float() on nothing"
)
def keeps_float32_and_float64(subject: Subject) -> None:
    """In float32 and in float64, parameters and inputs alike, outputs keep the type and agree to float32's accuracy."""
    found = {}
    for dtype in (torch.float32, torch.float64):
        part = perturbed(subject, dtype=dtype).eval() if subject.tensors else subject.make()
        with torch.no_grad():
            found[dtype] = _under(subject, part, subject.inputs(part, 3, dtype=dtype), dtype)
    for name, wide in found[torch.float64].items():
        narrow = found[torch.float32][name]
        gap = apart(narrow, wide)
        expect(gap <= 1e-3, f"{name} differs by {gap:.1e} of its largest value between float32 and float64")


def _under(subject: Subject, part: Any, inputs: tuple[Tensor, ...], dtype: torch.dtype) -> dict[str, Tensor]:
    with seeded():
        rng = None if subject.tensors else torch.Generator().manual_seed(0)
        if subject.spec.kind in ("corruption", "transform"):
            found = outputs(subject.call(part, inputs, rng=rng))
            return {name: value.new_zeros(()) + (value.dtype != dtype) for name, value in found.items()}
        if subject.spec.kind == "model" and not ANSWERS & set(subject.spec.capabilities):
            raise NotApplicable("it answers nothing without drawing first, and draws in float32")
        found = outputs(subject.answers(part, inputs))
    for name, value in found.items():
        expect(
            not value.is_floating_point() or value.dtype == dtype,
            f"{name} is {value.dtype} where parameters and inputs are {dtype}",
        )
    return found


def _low(subject: Subject) -> str:
    return rowwise(subject) or ("" if subject.trait("dtypes") else "it declares no low precision")


@check(tier="bronze", applies=_low, hint='declare in traits["dtypes"] only what forward keeps to, from input to output')
def keeps_declared_low_precisions(subject: Subject) -> None:
    """In every low precision it declares, parameters and inputs alike, outputs keep the type and are finite."""
    for name in subject.trait("dtypes"):
        if name not in LOW:
            raise Failure(f'traits["dtypes"] names {name}: there are {", ".join(LOW)}')
        part = perturbed(subject, dtype=LOW[name]).eval()
        with torch.no_grad():
            for label, value in _under(subject, part, subject.inputs(part, 3, dtype=LOW[name]), LOW[name]).items():
                expect(bool(value.isfinite().all()), f"{label} is not finite in {name}")


@check(
    tier="silver", applies=rowwise, hint="compute exponentials, logarithms, norms and sums over many numbers in float32"
)
def autocast_is_finite_and_near(subject: Subject) -> None:
    """Under autocast to bfloat16 answers are finite and within a tenth of those in float32."""
    part = perturbed(subject).eval()
    if not list(part.parameters()):
        raise NotApplicable("it has no parameters whose products autocast would narrow")
    inputs = subject.inputs(part, 3)
    with torch.no_grad():
        with seeded():
            wanted = outputs(subject.answers(part, inputs))
        with seeded(), torch.autocast("cpu", dtype=torch.bfloat16):
            found = outputs(subject.answers(part, inputs))
    for name, value in found.items():
        expect(bool(value.isfinite().all()), f"{name} is not finite under autocast")
        if value.is_floating_point():
            gap = apart(value, wanted[name])
            expect(gap <= NEAR, f"{name} under autocast differs by {gap:.1e} of its largest value, {NEAR} is allowed")


CHECKS = (shapes_are_as_wired, keeps_float32_and_float64, keeps_declared_low_precisions, autocast_is_finite_and_near)
