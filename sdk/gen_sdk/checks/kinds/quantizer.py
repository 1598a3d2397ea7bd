"""What a quantizer promises: tokens are numbers of code vectors, and gradients pass straight through.

`forward(z)` gives (z, tokens, penalty) for codes [B, D, *sites]; `values` is how many code vectors there are,
`lookup(tokens)` gives them.
"""

from __future__ import annotations

from typing import Any

import torch

from gen_sdk.checks.check import check, expect
from gen_sdk.checks.kinds.probing import expect_close, expect_equal, expect_shape, normal
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS"]

KINDS = ("quantizer",)


def _made(subject: Subject) -> tuple[Any, torch.Tensor]:
    quantizer = subject.make().eval()
    return quantizer, normal(3, *quantizer.shape)


@check(tier="bronze", kinds=KINDS, hint="tokens are int64 from 0 to values - 1, one per site; the penalty is [B]")
def tokens_number_the_code_vectors(subject: Subject) -> None:
    """Tokens [B, *sites] are whole numbers below `values`; vectors have the code's shape; penalties are [B]."""
    quantizer, z = _made(subject)
    vectors, tokens, penalty = quantizer(z)
    expect_shape(vectors, tuple(z.shape), "the code vectors")
    expect_shape(tokens, (3, *z.shape[2:]), "the tokens")
    expect_shape(penalty, (3,), "the penalty")
    expect(tokens.dtype == torch.int64, f"tokens are {tokens.dtype}, not int64")
    low, high = int(tokens.min()), int(tokens.max())
    expect(low >= 0 and high < quantizer.values, f"tokens run from {low} to {high}; there are {quantizer.values}")
    expect(bool((penalty >= 0).all()), f"a penalty is {penalty.min().item():.3g}")


@check(tier="bronze", kinds=KINDS, hint="lookup must read the very table that forward chooses from")
def lookup_gives_what_was_chosen(subject: Subject) -> None:
    """lookup(tokens) are the vectors that forward put in place of the code."""
    quantizer, z = _made(subject)
    vectors, tokens, _ = quantizer(z)
    expect_close(quantizer.lookup(tokens), vectors.detach(), 1e-5, "lookup(tokens) against the quantized code")


@check(tier="silver", kinds=KINDS, hint="return z + (chosen - z).detach(): the rounding has no gradient of its own")
def gradients_pass_straight_through(subject: Subject) -> None:
    """The gradient at the code is finite and not zero for any sample, as if nothing were rounded."""
    quantizer, z = _made(subject)
    z = z.requires_grad_()
    vectors = quantizer(z)[0]
    expect(vectors.requires_grad, "the quantized code carries no gradient")
    (grad,) = torch.autograd.grad((vectors * normal(*vectors.shape, seed=5)).sum(), z)
    expect(bool(grad.isfinite().all()), "the gradient at the code is not finite")
    expect(bool((grad != 0).flatten(1).any(1).all()), "the gradient at the code is zero for a whole sample")


@check(tier="silver", kinds=KINDS, hint="choose by the values of a site alone, and learn only while training")
def quantizer_is_a_function_of_the_code(subject: Subject) -> None:
    """In evaluation tokens of a sample depend on its code alone: not on the batch, not on the calls before."""
    quantizer, z = _made(subject)
    first = quantizer(z)[1]
    for _ in range(3):
        quantizer(3 * z)
        quantizer.after_step()
    expect_equal(quantizer(z)[1], first, "tokens of one code before and after other calls in evaluation")
    alone = torch.cat([quantizer(row[None])[1] for row in z])
    expect_equal(alone, first, "tokens one by one against tokens of a batch")


CHECKS = (
    tokens_number_the_code_vectors,
    lookup_gives_what_was_chosen,
    gradients_pass_straight_through,
    quantizer_is_a_function_of_the_code,
)
