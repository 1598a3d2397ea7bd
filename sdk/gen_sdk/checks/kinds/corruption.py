"""What a corruption promises: it spoils a copy, in the shape of x, under the generator it is handed."""

from __future__ import annotations

import torch

from gen.errors import ShapeError
from gen_sdk.checks.check import check, expect
from gen_sdk.checks.kinds.probing import expect_equal, expect_reproducible, expect_shape, generator, normal, seeded
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS"]

KINDS = ("corruption",)


@check(tier="bronze", kinds=KINDS, hint="return a new tensor like x; never write into the batch")
def corruption_spoils_a_copy(subject: Subject) -> None:
    """The result has x's shape and type and is finite; x stays as it was; something has changed."""
    corruption = subject.make()
    for dtype in (torch.float32, torch.float64):
        x = normal(4, 1, 8, 8, dtype=dtype).clamp(-1, 1)
        kept = x.clone()
        out = corruption(x, generator())
        expect_shape(out, tuple(x.shape), "the corrupted batch")
        expect(out.dtype == dtype and bool(out.isfinite().all()), f"{dtype} comes out as {out.dtype}, or not finite")
        expect_equal(x, kept, "the batch handed to the corruption")
        expect(not torch.equal(out, x), "nothing is spoiled")


@check(tier="bronze", kinds=KINDS, hint="hand rng to every draw: torch.randn(..., generator=rng)")
def corruption_is_reproducible(subject: Subject) -> None:
    """Under one seed of `rng` it spoils alike and leaves the global generator alone; without, the global one rules."""
    corruption = subject.make()
    x = normal(4, 1, 8, 8).clamp(-1, 1)
    with seeded(1):
        first = corruption(x)
    with seeded(2):
        varies = not torch.equal(first, corruption(x))
    with seeded(1):
        expect_equal(corruption(x), first, "the corruption twice under one global seed")
    expect_reproducible(lambda rng: corruption(x, rng), "the corruption", varies)


@check(tier="silver", kinds=KINDS, hint="serve vectors [B, D] too, or refuse them with a ShapeError that says why")
def corruption_spoils_every_row_anew(subject: Subject) -> None:
    """Equal rows of a random corruption come out differently; vectors are served, or refused with a ShapeError."""
    corruption = subject.make()
    x = normal(1, 1, 8, 8).clamp(-1, 1).repeat(3, 1, 1, 1)
    out, other = corruption(x, generator(1)), corruption(x, generator(2))
    if not torch.equal(out, other):
        expect(not torch.equal(out[0], out[1]), "two equal samples are spoiled alike: one draw serves a whole batch")
    try:
        expect_shape(corruption(normal(3, 5), generator()), (3, 5), "corrupted vectors")
    except ShapeError:
        return


CHECKS = (corruption_spoils_a_copy, corruption_is_reproducible, corruption_spoils_every_row_anew)
