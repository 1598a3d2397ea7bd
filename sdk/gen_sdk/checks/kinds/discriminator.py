"""What a discriminator promises: raw logits, one per sample or patch, smooth enough for gradient penalties."""

from __future__ import annotations

import torch
from torch import Tensor

from gen_sdk.checks.check import check, expect
from gen_sdk.checks.kinds.network import call, shown
from gen_sdk.checks.kinds.probing import expect_shape, shake
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS"]

KINDS = ("discriminator",)


@check(
    tier="bronze", kinds=KINDS, hint="end in a linear layer or convolution to one number; squeeze the last dimension"
)
def verdicts_have_one_shape(subject: Subject) -> None:
    """A batch gets logits [B], or patch logits [B, 1, h, w]."""
    for batch in (1, 3):
        network = subject.make().eval()
        out = call(network, shown(network, batch))
        if out.ndim == 4:
            expect_shape(out, (batch, 1, *out.shape[2:]), "patch logits")
        else:
            expect_shape(out, (batch,), "logits")


@check(tier="bronze", kinds=KINDS, hint="leave sigmoid, tanh and relu off the output: losses take raw logits")
def verdicts_are_logits(subject: Subject) -> None:
    """With other weights and inputs the output takes both signs and leaves [-1, 1]: it is squashed nowhere."""
    found = []
    for seed in range(4):
        network = shake(subject.make(seed=seed), 0.5, seed)
        _scale_last(network, 20.0)
        network.eval()
        found += [call(network, shown(network, 8, scale, seed)).detach().flatten() for scale in (1.0, 10.0)]
    out = torch.cat(found)
    low, high = out.min().item(), out.max().item()
    expect(low < 0 < high, f"over many weights and inputs outputs stay in [{low:.3g}, {high:.3g}]: one sign only")
    expect(max(-low, high) > 1, f"over many weights and inputs outputs stay in [{low:.3g}, {high:.3g}]: squashed")


@check(tier="silver", kinds=KINDS, hint="use smooth layers whose gradients have gradients; detach nothing inside")
def double_backward_works(subject: Subject) -> None:
    """A penalty on the squared gradient at the input (as R1) gives parameters finite gradients, not all zero."""
    network = shake(subject.make()).train()
    x = shown(network, 3)
    parts = (x,) if isinstance(x, Tensor) else x
    for part in parts:
        part.requires_grad_()
    slopes = torch.autograd.grad(call(network, x).sum(), parts, create_graph=True)
    penalty = torch.stack([slope.square().sum() for slope in slopes]).sum()
    expect(penalty.requires_grad, "the gradient at the input has no gradient itself")
    penalty.backward()
    grads = [p.grad for p in network.parameters() if p.grad is not None]
    expect(bool(grads), "no parameter gets a gradient from the penalty")
    expect(all(bool(g.isfinite().all()) for g in grads), "a gradient of the penalty is not finite")
    expect(any(bool((g != 0).any()) for g in grads), "every gradient of the penalty is zero")


def _scale_last(network: torch.nn.Module, factor: float) -> None:
    """Enlarges the last parameters, so that what squashes the output must show."""
    with torch.no_grad():
        for parameter in list(network.parameters())[-2:]:
            parameter.mul_(factor)


CHECKS = (verdicts_have_one_shape, verdicts_are_logits, double_backward_works)
