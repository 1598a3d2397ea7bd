"""What a posterior promises: q(z|x) is a density, its draws, its mean and its divergence belong together.

Shapes: B batch, N draws, G points of a grid; codes have one number or two.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from gen.building import Builder
from gen.plugins import catalogue
from gen.types import Shapes
from gen_sdk.checks.check import check, expect
from gen_sdk.checks.kinds.probing import (
    expect_close,
    expect_reproducible,
    expect_shape,
    generator,
    normal,
    seeded,
    spaced,
    wired,
)
from gen_sdk.checks.subject import Subject
from gen_sdk.checks.toys import ToyPrior

__all__ = ["CHECKS"]

KINDS = ("posterior",)
DRAWS = 4096


def _params(posterior: Any, batch: int, size: int, seed: int = 3) -> Tensor:
    """Parameters [B, *param_shape] of moderate posteriors over codes of `size` numbers."""
    return 0.6 * normal(batch, *posterior.param_shape((size,)), seed=seed)


def _many(params: Tensor) -> Tensor:
    """One posterior's parameters [1, …] as those of N draws."""
    return params.repeat(DRAWS, *[1] * (params.ndim - 1))


def _priors(subject: Subject, size: int) -> Iterator[Any]:
    """A toy prior, and the priors of the same plugin: a posterior may know closed forms for its own."""
    with seeded():
        yield ToyPrior(shape=(size,))
        for spec in catalogue().of_kind("prior"):
            if spec.namespace == subject.spec.namespace:
                prior = Builder().make({"use": spec.name, **spec.example}, Shapes((size,), (size,)))
                if not hasattr(prior, "bind"):  # one that is made of a model's posteriors has no density alone
                    yield prior


@check(tier="bronze", kinds=KINDS, hint="sum over the dimensions of a code, never over the batch: [B] in nats")
def posterior_shapes(subject: Subject) -> None:
    """Means and draws have the shape of codes; log_prob and kl are one number per sample."""
    posterior, prior = wired(subject), ToyPrior(shape=(3,))
    params = _params(posterior, 5, 3)
    z = posterior.rsample(params, generator())
    expect_shape(posterior.mean(params), (5, 3), "mean(params)")
    expect_shape(z, (5, 3), "rsample(params)")
    expect_shape(posterior.log_prob(params, z), (5,), "log_prob(params, z)")
    expect_shape(posterior.kl(params, prior, z), (5,), "kl(params, prior, z)")


@check(tier="bronze", kinds=KINDS, hint="hand rng to every draw: torch.randn(..., generator=rng)")
def posterior_draws_are_reproducible(subject: Subject) -> None:
    """Draws are a function of the generator they are handed, and of nothing else."""
    posterior = wired(subject)
    params = _params(posterior, 4, 3)
    expect_reproducible(lambda rng: posterior.rsample(params, rng), "rsample(params, rng)")


@check(tier="silver", kinds=KINDS, hint="draw by reparameterisation: z = mean + scale * noise, nothing detached")
def posterior_draws_pass_gradients(subject: Subject) -> None:
    """Gradients reach the parameters through a draw."""
    posterior = wired(subject)
    params = _params(posterior, 4, 3).requires_grad_()
    z = posterior.rsample(params, generator())
    expect(z.requires_grad, "a draw carries no gradient to the parameters")
    (z * normal(4, 3, seed=5)).sum().backward()
    grad = params.grad
    expect(grad is not None and bool((grad != 0).flatten(1).any(1).all()), "a draw's gradient is zero throughout")


@check(tier="silver", kinds=KINDS, hint="mean(params) is E[z|x]: compare it with the formula that rsample draws from")
def posterior_mean_agrees_with_draws(subject: Subject) -> None:
    """The mean of many draws is mean(params), within 5 standard errors."""
    posterior = wired(subject)
    params = _params(posterior, 1, 2)
    draws = posterior.rsample(_many(params), generator()).detach().double()  # [N, 2]
    error = 5 * draws.std(0) / DRAWS**0.5
    gap = (draws.mean(0) - posterior.mean(params)[0].double()).abs()
    expect(bool((gap <= error + 1e-6).all()), f"the mean of draws is off by {gap.tolist()}, allowed {error.tolist()}")


@check(tier="silver", kinds=KINDS, hint="keep every constant, the log of the scale above all, and sum over dimensions")
def posterior_integrates_to_one(subject: Subject) -> None:
    """exp(log_prob) integrates to 1 over codes of one number and of two."""
    posterior = wired(subject)
    for size, points in ((1, 2001), (2, 241)):
        params = _params(posterior, 1, size, seed=7)
        draws = posterior.rsample(_many(params), generator()).detach()
        axes = [spaced(draws[:, i], points) for i in range(size)]
        grid = torch.cartesian_prod(*axes).reshape(-1, size).float()  # [G, size]
        log_p = posterior.log_prob(params.expand(len(grid), *params.shape[1:]), grid).detach()
        total = log_p.double().exp().sum().item()
        for axis in axes:
            total *= (axis[1] - axis[0]).item()
        expect(abs(total - 1) < 0.02, f"exp(log_prob) over codes of {size} numbers integrates to {total:.4f}, not 1")


@check(tier="silver", kinds=KINDS, hint="KL(q || p) = E_q[log q - log p]: mind which is which, and the sign")
def kl_agrees_with_its_definition(subject: Subject) -> None:
    """The mean of kl over draws is that of log q(z|x) - log p(z), for a toy prior and the plugin's own."""
    posterior = wired(subject)
    for prior in _priors(subject, 2):
        for seed in (3, 4):
            params = _many(_params(posterior, 1, 2, seed))
            z = posterior.rsample(params, generator(seed)).detach()
            gaps = posterior.log_prob(params, z) - prior.log_prob(z)
            found, truth = posterior.kl(params, prior, z).detach().double(), gaps.detach().double()
            allowed = 5 * truth.std().item() / DRAWS**0.5 + 1e-4
            gap = found.mean().item() - truth.mean().item()
            name = type(prior).__name__
            expect(abs(gap) <= allowed, f"kl to {name} is {found.mean():.4f}, E[log q - log p] {truth.mean():.4f}")


@check(tier="silver", kinds=KINDS, hint="KL(q || p) is E_q[log q - log p], not its negative, and in nats per sample")
def kl_is_not_negative(subject: Subject) -> None:
    """The mean of kl over draws is at least 0, for sharp, broad and shifted posteriors."""
    posterior = wired(subject)
    for prior in _priors(subject, 2):
        for seed in range(4):
            params = _many(_params(posterior, 1, 2, 10 + seed) * (1 + seed))
            kl = posterior.kl(params, prior, posterior.rsample(params, generator(seed)).detach()).detach().double()
            least = -5 * kl.std().item() / DRAWS**0.5 - 1e-5
            expect(kl.mean().item() >= least, f"the mean of kl to {type(prior).__name__} is {kl.mean():.4f}")


@check(tier="silver", kinds=KINDS, hint="bound the log-variance that the network puts out")
def posterior_survives_extreme_parameters(subject: Subject) -> None:
    """Parameters of 0 and of ±8 give finite means, draws, densities and divergences."""
    posterior, prior = wired(subject), ToyPrior(shape=(3,))
    for value in (0.0, 8.0, -8.0):
        params = torch.full((2, *posterior.param_shape((3,))), value)
        z = posterior.rsample(params, generator())
        for what, found in {
            "mean": posterior.mean(params),
            "rsample": z,
            "log_prob": posterior.log_prob(params, z),
            "kl": posterior.kl(params, prior, z),
        }.items():
            expect(bool(found.isfinite().all()), f"{what} is not finite for parameters of {value:g}")


@check(tier="silver", kinds=KINDS, hint="compute row by row: no mean, scale or maximum over the batch")
def posterior_rows_are_independent(subject: Subject) -> None:
    """Densities and divergences of a sample do not depend on the others of its batch."""
    posterior, prior = wired(subject), ToyPrior(shape=(3,))
    params, z = _params(posterior, 4, 3), normal(4, 3, seed=9)
    for what, call in {
        "mean": lambda p, _: posterior.mean(p),
        "log_prob": posterior.log_prob,
        "kl": lambda p, z: posterior.kl(p, prior, z),
    }.items():
        alone = torch.cat([call(params[i : i + 1], z[i : i + 1]) for i in range(4)])
        expect_close(call(params, z), alone, 1e-5, f"{what} of a batch against {what} one by one")


CHECKS = (
    posterior_shapes,
    posterior_draws_are_reproducible,
    posterior_draws_pass_gradients,
    posterior_mean_agrees_with_draws,
    posterior_integrates_to_one,
    kl_agrees_with_its_definition,
    kl_is_not_negative,
    posterior_survives_extreme_parameters,
    posterior_rows_are_independent,
)
