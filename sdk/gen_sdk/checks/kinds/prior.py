"""What a prior promises: its draws follow its density.

A prior that is made of a model's posteriors is handed a toy's through `bind`, as its model would.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gen.types import Shapes
from gen_sdk.checks.check import check, expect
from gen_sdk.checks.kinds.probing import (
    expect_follows,
    expect_reproducible,
    expect_shape,
    generator,
    normal,
    seeded,
    shake,
    spaced,
    wired,
)
from gen_sdk.checks.subject import Subject
from gen_sdk.checks.toys import ToyEncoder, ToyPosterior

__all__ = ["CHECKS"]

KINDS = ("prior",)
DRAWS = 4096
DATA = (1, 4, 4)


def _prior(subject: Subject, *shape: int) -> Any:
    prior = wired(subject, Shapes(shape, DATA))
    if hasattr(prior, "bind"):
        posterior = ToyPosterior()
        with seeded(4):
            encoder = ToyEncoder(in_shape=DATA, out_shape=posterior.param_shape(shape))
        prior.bind(lambda x: (posterior, encoder(x)))
    return shake(prior)


@check(tier="bronze", kinds=KINDS, hint="sum over the dimensions of a code, never over the batch: [B] in nats")
def prior_shapes(subject: Subject) -> None:
    """Draws have the wired shape, maps of codes too; log_prob is one number per draw."""
    for shape in ((3,), (2, 2, 2)):
        prior = _prior(subject, *shape)
        for n in (1, 5):
            z = prior.sample(n, generator())
            expect_shape(z, (n, *shape), f"sample({n})")
            expect_shape(prior.log_prob(z), (n,), "log_prob(z)")
            expect(bool(prior.log_prob(z).isfinite().all()), "log_prob of the prior's own draws is not finite")


@check(tier="bronze", kinds=KINDS, hint="hand rng to every draw: torch.randn(..., generator=rng)")
def prior_draws_are_reproducible(subject: Subject) -> None:
    """Draws are a function of the generator they are handed, and of nothing else."""
    prior = _prior(subject, 3)
    expect_reproducible(lambda rng: prior.sample(4, rng), "sample(n, rng)")


@check(tier="silver", kinds=KINDS, hint="keep every constant, and the log of every weight and scale")
def prior_integrates_to_one(subject: Subject) -> None:
    """exp(log_prob) integrates to 1 over codes of one number and of two."""
    for size, points in ((1, 2001), (2, 181)):
        prior = _prior(subject, size)
        draws = prior.sample(256, generator()).detach()
        axes = [spaced(draws[:, i], points) for i in range(size)]
        total = _density(prior, torch.cartesian_prod(*axes).reshape(-1, size)).sum().item()
        for axis in axes:
            total *= (axis[1] - axis[0]).item()
        expect(abs(total - 1) < 0.02, f"exp(log_prob) over codes of {size} numbers integrates to {total:.4f}, not 1")


@check(tier="silver", kinds=KINDS, hint="sample and log_prob must speak of one density: compare their scales")
def prior_draws_follow_its_log_prob(subject: Subject) -> None:
    """Many draws of one number are distributed as exp(log_prob) says; in two dimensions both margins are."""
    for size, points in ((1, 1001), (2, 161)):
        prior = _prior(subject, size)
        draws = prior.sample(DRAWS, generator()).detach()  # [N, size]
        axes = [spaced(draws[:, i], points, 0.3) for i in range(size)]
        density = _density(prior, torch.cartesian_prod(*axes).reshape(-1, size)).view([points] * size)
        mass = density / density.sum()
        for i, axis in enumerate(axes):
            margin = mass if size == 1 else mass.sum(1 - i)
            expect_follows(draws[:, i], axis, margin, f"draws and log_prob of codes of {size} numbers, axis {i}")


@check(tier="silver", kinds=KINDS, hint="choose and draw row by row: no two codes share noise or a component's index")
def prior_draws_differ(subject: Subject) -> None:
    """The codes of one draw differ from each other, and their log-probabilities do not depend on their neighbours."""
    prior = _prior(subject, 3)
    z = prior.sample(64, generator()).detach()
    expect(len(torch.unique(z, dim=0)) == 64, "two codes of one draw are equal")
    z = normal(4, 3, seed=9)
    alone = torch.cat([prior.log_prob(row[None]) for row in z])
    gap = (prior.log_prob(z) - alone).abs().max().item()
    expect(gap < 1e-4, f"log_prob of a code changes by {gap:.3g} nats with its neighbours in the batch")


def _density(prior: Any, grid: Tensor) -> Tensor:
    """exp(log_prob) at points [G, size], in pieces: a prior may compare every point with all its components."""
    with torch.no_grad():
        return torch.cat([prior.log_prob(piece.float()).double().exp() for piece in grid.split(4096)])


CHECKS = (
    prior_shapes,
    prior_draws_are_reproducible,
    prior_integrates_to_one,
    prior_draws_follow_its_log_prob,
    prior_draws_differ,
)
