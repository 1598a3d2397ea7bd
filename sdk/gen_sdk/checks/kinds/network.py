"""What all networks promise: they use what they are told, and survive what they may be shown.

Shapes: B batch; the shapes of a sample are read from the network as wired.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gen.errors import ShapeError
from gen.types import CondSpec
from gen_sdk.checks.check import NotApplicable, check, expect
from gen_sdk.checks.kinds.probing import expect_close, expect_shape, normal, shake
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS", "call", "shown"]

KINDS = ("encoder", "decoder", "generator", "discriminator", "denoiser", "autoregressor")


def shown(network: Any, batch: int, scale: float = 1.0, seed: int = 0) -> Any:
    """What a network may be shown: [B, *in_shape], or a tuple of them where it is wired to several."""
    shape = network.in_shape
    if shape and isinstance(shape[0], (tuple, list)):
        return tuple(scale * normal(batch, *one, seed=seed + i) for i, one in enumerate(shape))
    return scale * normal(batch, *shape, seed=seed)


def call(network: Any, x: Any, cond: Tensor | None = None) -> Tensor:
    """The network's output; a denoiser is told a middling noise level."""
    batch = len(x if isinstance(x, Tensor) else x[0])
    level = (torch.full((batch,), 0.4),) if network.kind == "denoiser" else ()
    return network(x, *level, cond)  # type: ignore[no-any-return]


def _labels(spec: CondSpec, batch: int, turn: int = 0) -> Tensor:
    """Conditions [B]; those of another turn differ in every row."""
    if spec.kind == "class":
        return (torch.arange(batch) + turn) % spec.size
    shape = spec.shape if spec.kind == "image" and spec.shape is not None else (spec.size,)
    return normal(batch, *shape, seed=10 + turn)


def _told(subject: Subject) -> Any:
    """The network wired to labels, in evaluation, if it can be."""
    try:
        network = subject.make(cond=True)
    except ShapeError as error:
        raise NotApplicable(f"it takes no labels ({str(error).splitlines()[0]})") from error
    if network.cond is None:
        raise NotApplicable("it was wired to no condition")
    return shake(network).eval()


@check(tier="bronze", kinds=KINDS, hint="bound what feeds exp, log, sqrt and division")
def extreme_inputs_stay_finite(subject: Subject) -> None:
    """Inputs of 0, of ±1 and ten times the usual size give finite outputs."""
    network = shake(subject.make()).eval()
    ones = shown(network, 2)
    for what, scale in (("0", 0.0), ("ten times the usual size", 10.0)):
        out = call(network, shown(network, 2, scale))
        expect(bool(out.isfinite().all()), f"the output is not finite for inputs of {what}")
    flat = tuple(x.sign() for x in ones) if isinstance(ones, tuple) else ones.sign()
    expect(bool(call(network, flat).isfinite().all()), "the output is not finite for inputs of ±1")


@check(
    tier="bronze", kinds=KINDS, hint="let the input reach the output: look for a lost variable, a detach or a rounding"
)
def gradients_reach_the_input(subject: Subject) -> None:
    """The output depends on every sample's input, and the gradient comes back to it, finite."""
    network = shake(subject.make()).eval()
    x = shown(network, 2)
    parts = (x,) if isinstance(x, Tensor) else x
    for part in parts:
        part.requires_grad_()
    out = call(network, x)
    expect(out.requires_grad, "the output carries no gradient")
    grads = torch.autograd.grad((out * normal(*out.shape, seed=4)).sum(), parts, allow_unused=True)
    for number, grad in enumerate(grads):
        expect(grad is not None, f"input {number} gets no gradient: it is not used")
        expect(grad is not None and bool(grad.isfinite().all()), f"the gradient of input {number} is not finite")
        reached = grad is not None and bool((grad != 0).flatten(1).any(1).all())
        expect(reached, f"the gradient of input {number} is zero for a whole sample")


@check(
    tier="silver",
    kinds=KINDS,
    hint="embed cond and let it shift hidden layers; a network wired to a condition must use it",
)
def labels_change_the_output(subject: Subject) -> None:
    """A network wired to a condition puts out something else for every other condition, row by row."""
    network = _told(subject)
    x = shown(network, 3)
    first, other = (call(network, x, _labels(network.cond, 3, turn)) for turn in (0, 1))
    for row in range(3):
        expect(not torch.equal(first[row], other[row]), f"sample {row} comes out the same under another condition")
    mixed = _labels(network.cond, 3)
    mixed[0] = _labels(network.cond, 3, 1)[0]
    expect_close(call(network, x, mixed)[1:], first[1:], 1e-5, "samples whose own condition stayed the same")


@check(
    tier="silver",
    kinds=KINDS,
    hint="give the embedding one row more, for the null label cond.size; cond=None means null for every sample",
)
def null_condition_is_served(subject: Subject) -> None:
    """The null label (the zero vector) is accepted, finite, and the same as no condition at all."""
    network = _told(subject)
    x, spec = shown(network, 2), network.cond
    null = torch.full((2,), spec.null) if spec.kind == "class" else torch.zeros_like(_labels(spec, 2))
    try:
        told = call(network, x, null)
    except (IndexError, RuntimeError) as error:
        expect(False, f"the null condition raises {type(error).__name__}: {error}")
        raise
    expect_shape(told, tuple(call(network, x, _labels(spec, 2)).shape), "the output for the null condition")
    expect(bool(told.isfinite().all()), "the output for the null condition is not finite")
    expect_close(call(network, x, None), told, 1e-5, "cond=None against the null condition")


CHECKS = (
    extreme_inputs_stay_finite,
    gradients_reach_the_input,
    labels_change_the_output,
    null_condition_is_served,
)
