"""What a transform promises: the shape and range that `domain` says, row by row, under the generator it is handed."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from gen.errors import ShapeError
from gen.types import Domain
from gen_sdk.checks.check import Failure, check, expect
from gen_sdk.checks.kinds.probing import (
    expect_close,
    expect_equal,
    expect_reproducible,
    expect_shape,
    generator,
    normal,
    seeded,
)
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS"]

KINDS = ("transform",)
DOMAINS = (
    Domain((3, 16, 16), levels=256),
    Domain((1, 16, 16), levels=256),
    Domain((1, 12, 12), range=(0.0, 1.0)),
    Domain((6,), "vector"),
)


def _served(subject: Subject) -> list[tuple[Any, Domain, Domain, Tensor]]:
    """Of each domain that the transform serves: the transform, the domain before and after, and samples [4, *shape]."""
    found, refusals = [], []
    for before in DOMAINS:
        transform = subject.make()
        try:
            after = transform.domain(before)
        except ShapeError as error:
            refusals.append(str(error))
            continue
        found.append((transform, before, after, _samples(before)))
    if not found:
        raise Failure(f"it serves none of {len(DOMAINS)} usual domains: {refusals[0]}")
    return found


def _samples(domain: Domain) -> Tensor:
    low, high = domain.range
    share = torch.rand(4, *domain.shape, generator=generator(5))
    if domain.levels is not None:
        share = (share * (domain.levels - 1)).round() / (domain.levels - 1)
    return low + (high - low) * share


INDEX = torch.arange(4)


@check(tier="bronze", kinds=KINDS, hint="let domain() say exactly what __call__ makes: shape, range, levels")
def transform_makes_what_domain_says(subject: Subject) -> None:
    """Samples come out in the shape, the range and on the levels that domain() says, of every modality it serves."""
    for transform, before, after, x in _served(subject):
        out = transform(x, INDEX, generator())
        expect_shape(out, (4, *after.shape), f"samples of {before.shape}")
        expect(
            out.is_floating_point() and bool(out.isfinite().all()), f"samples come out as {out.dtype}, or not finite"
        )
        low, high = after.range
        slack = 1e-5 * (high - low)
        inside = bool((out >= low - slack).all()) and bool((out <= high + slack).all())
        expect(inside, f"values run from {out.min():.4g} to {out.max():.4g}; domain() says [{low:g}, {high:g}]")
        if after.levels is not None:
            steps = (out.double() - low) / (high - low) * (after.levels - 1)
            off = (steps - steps.round()).abs().max().item()
            expect(off < 1e-3, f"values lie {off:.2g} of a level beside the {after.levels} levels that domain() says")


@check(tier="bronze", kinds=KINDS, hint="return a new tensor; never write into the batch")
def transform_leaves_its_input(subject: Subject) -> None:
    """The samples handed to it stay as they were."""
    for transform, _, _, x in _served(subject):
        kept = x.clone()
        transform(x, INDEX, generator())
        expect_equal(x, kept, "the samples handed to the transform")


@check(tier="bronze", kinds=KINDS, hint="draw from rng alone; declare random = True where anything is drawn anew")
def transform_is_reproducible(subject: Subject) -> None:
    """Under one seed of rng it does the same; one that is not `random` also does under any seed, or none at all."""
    for transform, _, _, x in _served(subject):
        expect_reproducible(partial(transform, x, INDEX), "the transform", bool(transform.random))
        if not transform.random or transform.augments:
            with seeded(1):
                plain = transform(x, INDEX, None)
            with seeded(2):
                expect_equal(transform(x, INDEX, None), plain, "the transform without a generator")
        if not transform.random:
            expect_equal(transform(x, INDEX, generator(1)), transform(x, INDEX, generator(2)), "one that is not random")


@check(tier="silver", kinds=KINDS, hint="work on each sample by itself; tie fixed noise to the sample's index")
def transform_works_row_by_row(subject: Subject) -> None:
    """Where nothing is drawn, a sample comes out alone as in any batch; where it is, equal samples differ."""
    for transform, _, _, x in _served(subject):
        if transform.random and not transform.augments:
            same = transform(x[:1].repeat(4, *[1] * (x.ndim - 1)), INDEX, generator())
            differ = any(not torch.equal(same[0], row) for row in same[1:])
            expect(differ, "four equal samples come out alike: one draw serves the whole batch")
            continue
        rng = None if transform.augments else generator()
        together = transform(x, INDEX, rng)
        alone = torch.cat([transform(x[i : i + 1], INDEX[i : i + 1], rng) for i in range(4)])
        expect_close(alone, together, 1e-6, "samples one by one against the batch")
        moved = transform(x.flip(0), INDEX.flip(0), rng).flip(0)
        expect_close(moved, together, 1e-6, "the batch in another order")


@check(tier="silver", kinds=KINDS, hint="raise ShapeError that says what the transform takes")
def transform_refuses_with_a_shape_error(subject: Subject) -> None:
    """A domain that it cannot serve is refused by domain(), with a ShapeError of one sentence or more."""
    odd = (Domain((5, 3, 7)), Domain((40,), "series"), Domain((9,), "tokens", (0.0, 8.0), 9), Domain((1, 1, 1)))
    for domain in odd:
        transform = subject.make()
        try:
            after = transform.domain(domain)
        except ShapeError as error:
            expect(len(str(error)) > 15, f"the refusal of {domain.shape} says too little: {error}")
            continue
        low, high = domain.range
        x = (low + (high - low) * (0.5 + 0.1 * normal(2, *domain.shape))).clamp(low, high)
        out = transform(x, INDEX[:2], generator())
        expect_shape(out, (2, *after.shape), f"a {domain.modality} of {domain.shape}, which domain() accepts,")


CHECKS = (
    transform_makes_what_domain_says,
    transform_leaves_its_input,
    transform_is_reproducible,
    transform_works_row_by_row,
    transform_refuses_with_a_shape_error,
)
