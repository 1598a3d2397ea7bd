"""What an autoregressor promises: the logits of a factor know the values before it, and nothing else.

Factors are numbered in raster order, channels inside a pixel (vectors: along the first axis). For data (C, H, W) the K
numbers of a factor lie along the channels of the output, (K C, H, W), K outermost. Shapes: B batch, N factors.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gen.types import Shape, Shapes
from gen_sdk.checks.check import check, expect
from gen_sdk.checks.kinds.probing import expect_close, expect_shape, normal, shake, wired
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS", "factors"]

KINDS = ("autoregressor",)


def _wire(subject: Subject, shape: Shape, per: int = 1) -> Any:
    return shake(wired(subject, Shapes(shape, (per * shape[0], *shape[1:])))).eval()


def factors(out: Tensor, shape: Shape) -> Tensor:
    """An output [B, K C, …] as [B, N, K], factors in their order."""
    channels = shape[0]
    split: Tensor = out.unflatten(1, (-1, channels))  # [B, K, C, …]
    return split.movedim((1, 2), (-1, -2)).flatten(1, -2)  # [B, …, C, K] → [B, N, K]


def _sites(x: Tensor) -> Tensor:
    """Data [B, C, …] as values [B, N] in the order of the factors."""
    return x.movedim(1, -1).flatten(1)


@check(
    tier="silver", kinds=KINDS, hint="mask strictly: the first layer sees no value of its own position, nor later ones"
)
def logits_ignore_their_own_and_later_values(subject: Subject) -> None:
    """The Jacobian of the logits is strictly triangular in raster order, channels inside a pixel."""
    for shape, per in (((1, 3, 3), 1), ((2, 3, 2), 2)):
        network = _wire(subject, shape, per)
        x = normal(1, *shape)
        with torch.no_grad():
            before = factors(network(x), shape)[0]  # [N, K]
        size = len(before)
        changed = x.movedim(1, -1).flatten(1).repeat(size, 1)  # [N, N]: row j has another value at j
        changed[torch.arange(size), torch.arange(size)] += 0.7
        with torch.no_grad():
            rows = changed.view(size, *shape[1:], shape[0]).movedim(-1, 1).contiguous()
            moved = (factors(network(rows), shape) - before).abs().amax(2)  # [N changed, N factors]
        leak = moved.tril()  # row j, column i <= j: a factor that knows a value at or after its own position
        worst = leak.max().item()
        where = divmod(int(leak.argmax()), size)
        expect(worst <= 1e-6, f"factor {where[1]} changes by {worst:.2g} with the value at {where[0]}, not before it")
        expect(bool(moved[:-1].amax(1).gt(0).all()), "a value is looked at by no factor after it")


@check(
    tier="silver", kinds=KINDS, hint="one factor per position, each a proper distribution given the values before it"
)
def binary_images_sum_to_one(subject: Subject) -> None:
    """With Bernoulli factors the probabilities of all 512 binary images of 3x3 pixels sum to 1, and differ."""
    shape = (1, 3, 3)
    network = _wire(subject, shape)
    bits = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 9)  # [512, 9]
    x = bits.view(-1, *shape)
    with torch.no_grad():
        logits = factors(network(x), shape).squeeze(2)  # [512, 9]
    log_p = F.logsigmoid(bits * logits).double().sum(1)
    total = log_p.exp().sum().item()
    expect(abs(total - 1) < 1e-4, f"the probabilities of all binary 3x3 images sum to {total:.5f}, not 1")
    expect(log_p.std().item() > 0, "all images are equally likely: the network says the same whatever it is shown")


@check(tier="silver", kinds=KINDS, hint="step must compute exactly what forward computes, from what it has cached")
def cached_steps_equal_the_full_pass(subject: Subject) -> None:
    """start and step, fed value by value, give the logits of forward, for a batch and with two numbers a factor."""
    for shape, per in (((1, 3, 3), 1), ((2, 3, 2), 2)):
        network = _wire(subject, shape, per)
        x = normal(2, *shape).sign()
        with torch.no_grad():
            full, values = factors(network(x), shape), _sites(x)
            cache = network.start(2)
            for position in range(math.prod(shape)):
                previous = values[:, position - 1] if position else None
                logits = network.step(cache, position, previous)
                expect_shape(logits, (2, per), f"step at position {position}")
                expect_close(logits, full[:, position], 1e-4, f"the step at position {position} against the full pass")


CHECKS = (logits_ignore_their_own_and_later_values, binary_images_sum_to_one, cached_steps_equal_the_full_pass)
