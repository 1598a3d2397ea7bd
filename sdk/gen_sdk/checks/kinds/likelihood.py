"""What a likelihood promises: p(x|z) sums or integrates to one, and draws and mean belong to it.

Its values are found by looking: few distinct ones among many draws (or declared `levels`) make it discrete.
Shapes: B batch, N draws, V values or points of a grid.
"""

from __future__ import annotations

from typing import Any

import attrs
import torch
from torch import Tensor

from gen_sdk.checks.check import check, expect
from gen_sdk.checks.kinds.probing import (
    expect_close,
    expect_follows,
    expect_reproducible,
    expect_shape,
    generator,
    normal,
    spaced,
    wired,
)
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS"]

KINDS = ("likelihood",)
DRAWS = 4096
FEW = 64


@attrs.frozen
class Values:
    """What one number of x can be, in increasing order [V], and the width that a value stands for (1: a mass)."""

    points: Tensor
    width: float


def _likelihoods(subject: Subject) -> list[Any]:
    """The likelihood as it is by default, and with few levels where it counts levels."""
    option = subject.spec.option("levels")
    if option is None:
        return [wired(subject)]
    few = int(min(max(5, option.min or 0), option.max or FEW))
    return [wired(subject), wired(subject, levels=few)] if option.default != few else [wired(subject)]


def _params(likelihood: Any, size: int, seed: int = 3) -> Tensor:
    """Parameters [1, *param_shape] for data of `size` numbers."""
    return 0.5 * normal(1, *likelihood.param_shape((size,)), seed=seed)


def _repeat(params: Tensor, n: int) -> Tensor:
    return params.repeat(n, *[1] * (params.ndim - 1))


def _values(likelihood: Any, draws: Tensor, count: int = 4001) -> Values:
    """The values of one number, from draws of it [N]."""
    levels = getattr(likelihood, "levels", None)
    if levels is not None:
        return Values(torch.linspace(-1, 1, levels, dtype=torch.float64), 1.0)
    found = torch.unique(draws)
    if len(found) <= FEW:
        return Values(found.double(), 1.0)
    grid = spaced(draws, count)
    return Values(grid, (grid[1] - grid[0]).item())


def _masses(likelihood: Any, params: Tensor, values: Values) -> Tensor:
    """The mass [V] of each value of data of one number."""
    log_p = likelihood.log_prob(_repeat(params, len(values.points)), values.points.float()[:, None])
    return log_p.detach().double().exp() * values.width  # type: ignore[no-any-return]


@check(tier="bronze", kinds=KINDS, hint="sum over the dimensions of a sample, never over the batch: [B] in nats")
def likelihood_shapes(subject: Subject) -> None:
    """For vectors and images: means and draws have the shape of data, log_prob is one number per sample."""
    likelihood = wired(subject)
    for shape in ((4,), (1, 3, 3), (3, 2, 2)):
        params = 0.5 * normal(2, *likelihood.param_shape(shape))
        x = likelihood.sample(params, generator())
        expect_shape(x, (2, *shape), "sample(params)")
        expect_shape(likelihood.mean(params), (2, *shape), "mean(params)")
        expect_shape(likelihood.log_prob(params, x), (2,), "log_prob(params, x)")


@check(tier="bronze", kinds=KINDS, hint="hand rng to every draw: torch.rand(..., generator=rng)")
def likelihood_draws_are_reproducible(subject: Subject) -> None:
    """Draws are a function of the generator they are handed, and of nothing else."""
    likelihood = wired(subject)
    params = 0.5 * normal(4, *likelihood.param_shape((1, 4, 4)))
    expect_reproducible(lambda rng: likelihood.sample(params, rng), "sample(params, rng)")


@check(tier="silver", kinds=KINDS, hint="keep every constant, and sum over dimensions instead of averaging")
def likelihood_sums_to_one(subject: Subject) -> None:
    """Probabilities sum, densities integrate to 1, over data of one number and of two."""
    for likelihood in _likelihoods(subject):
        params = _params(likelihood, 1)
        values = _values(likelihood, likelihood.sample(_repeat(params, DRAWS), generator()).detach().flatten())
        total = _masses(likelihood, params, values).sum().item()
        expect(abs(total - 1) < 0.01, f"p(x|z) over all x of one number makes {total:.4f}, not 1")
        pair = _params(likelihood, 2, seed=5)
        draws = likelihood.sample(_repeat(pair, DRAWS), generator()).detach()
        first, second = (_values(likelihood, draws[:, i], 201) for i in (0, 1))
        if len(first.points) > 201:
            continue
        grid = torch.cartesian_prod(first.points, second.points).float()
        log_p = likelihood.log_prob(_repeat(pair, len(grid)), grid).detach().double()
        total = log_p.exp().sum().item() * first.width * second.width
        expect(abs(total - 1) < 0.02, f"p(x|z) over all x of two numbers makes {total:.4f}, not 1")


@check(tier="silver", kinds=KINDS, hint="sample must draw from the distribution whose log_prob is stated")
def likelihood_draws_follow_its_log_prob(subject: Subject) -> None:
    """Many draws of one number are distributed as log_prob says."""
    for likelihood in _likelihoods(subject):
        for seed in (3, 4):
            params = _params(likelihood, 1, seed)
            draws = likelihood.sample(_repeat(params, DRAWS), generator()).detach().flatten()
            values = _values(likelihood, draws)
            expect_follows(draws, values.points, _masses(likelihood, params, values), "draws and log_prob")


@check(tier="silver", kinds=KINDS, hint="mean(params) is E[x|z] in the range of the data, not the mode or a parameter")
def likelihood_mean_agrees_with_its_log_prob(subject: Subject) -> None:
    """mean(params) is the mean that log_prob implies, to half a level or a thousandth of the range."""
    for likelihood in _likelihoods(subject):
        for seed in (3, 4, 5):
            params = 2 * _params(likelihood, 1, seed)
            values = _values(likelihood, likelihood.sample(_repeat(params, DRAWS), generator()).detach().flatten())
            masses = _masses(likelihood, params, values)
            truth = (masses * values.points).sum().item() / masses.sum().item()
            found = likelihood.mean(params).item()
            levels = getattr(likelihood, "levels", None)
            allowed = 4e-3 + (0.25 / (levels - 1) if levels else 0.0)
            expect(abs(found - truth) <= allowed, f"mean(params) is {found:.4f}, log_prob implies {truth:.4f}")


@check(tier="silver", kinds=KINDS, hint="bound scales from below and compute with logits, not with probabilities")
def likelihood_survives_extreme_parameters(subject: Subject) -> None:
    """Parameters of 0 and of ±30 give finite log-probabilities and gradients, also of unlikely data."""
    likelihood = wired(subject)
    x = torch.tensor([[-1.0, 1.0], [1.0, -1.0]])
    for value in (0.0, 30.0, -30.0):
        params = torch.full((2, *likelihood.param_shape((2,))), value, requires_grad=True)
        log_p = likelihood.log_prob(params, x)
        expect(bool(log_p.isfinite().all()), f"log_prob is not finite for parameters of {value:g}")
        (grad,) = torch.autograd.grad(log_p.sum(), params)
        expect(bool(grad.isfinite().all()), f"the gradient of log_prob is not finite for parameters of {value:g}")
        for what in ("mean", "sample"):
            expect(bool(getattr(likelihood, what)(params).isfinite().all()), f"{what} is not finite for {value:g}")


@check(tier="silver", kinds=KINDS, hint="compute row by row: no mean, scale or maximum over the batch")
def likelihood_rows_are_independent(subject: Subject) -> None:
    """The log-probability of a sample does not depend on its batch, and gradients reach its parameters."""
    likelihood = wired(subject)
    params = (0.5 * normal(4, *likelihood.param_shape((1, 3, 3)))).requires_grad_()
    x = likelihood.sample(params.detach(), generator())
    together = likelihood.log_prob(params, x)
    alone = torch.cat([likelihood.log_prob(params[i : i + 1], x[i : i + 1]) for i in range(4)])
    expect_close(together, alone, 1e-5, "log_prob of a batch against log_prob one by one")
    (grad,) = torch.autograd.grad(together.sum(), params)
    expect(bool((grad != 0).flatten(1).any(1).all()), "log_prob passes no gradient to the parameters of a sample")


CHECKS = (
    likelihood_shapes,
    likelihood_draws_are_reproducible,
    likelihood_sums_to_one,
    likelihood_draws_follow_its_log_prob,
    likelihood_mean_agrees_with_its_log_prob,
    likelihood_survives_extreme_parameters,
    likelihood_rows_are_independent,
)
