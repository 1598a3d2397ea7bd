"""The variational bound of diffusion: -log p(x) <= L_T + sum over i of L_i + L_0 (Ho et al. 2020, section 3)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gen.noise import StepBack, expand, level_at
from gen.types import Domain

if TYPE_CHECKING:
    from gen_diffusion.ddpm import DDPM

__all__ = ["chain_term", "variational_bound"]


def variational_bound(model: DDPM, x: Tensor, cond: Tensor | None, terms: int) -> Tensor:
    """A lower bound of log p(x) [B] in nats, by one draw of noise for every term.

    With `terms` below T, so many terms are drawn, one from each of as many equal stretches of the chain, and stand for
    the others: an unbiased estimate of the bound.
    """
    chosen = min(terms, model.steps) or model.steps
    end = level_at(model.schedule, x.new_ones(1))
    total = _prior_term(x, end.alpha, end.sigma)
    for number in range(chosen):
        low, high = (model.steps * edge // chosen for edge in (number, number + 1))
        i = torch.randint(low + 1, high + 1, (len(x),), device=x.device)
        t = i / model.steps
        x_noisy, _ = model.noisy(x, torch.randn_like(x), t)
        clean, log_variance = model.reverse(x_noisy, t, t - 1 / model.steps, cond)
        total = total + (high - low) * chain_term(
            x, x_noisy, clean, i == 1, model.step(t), log_variance, model.data.domain
        )
    return -total


def chain_term(
    x: Tensor, x_noisy: Tensor, clean: Tensor, first: Tensor, back: StepBack, log_variance: Tensor, domain: Domain
) -> Tensor:
    """The term of one step [B] in nats: KL(q(x_{i-1} | x_i, x) || p(x_{i-1} | x_i)), or -log p(x | x_1) where `first`.

    Args:
        clean: the model's estimate of x, [B, *shape].
        first: which samples stand at i = 1, [B].
        log_variance: of p, [B, 1, …] or [B, *shape].
    """
    from_noisy, from_x = expand(back.from_noisy, x), expand(back.from_x, x)
    mean = from_noisy * x_noisy + from_x * clean
    gap = from_x * (x - clean)  # between the means of q and of p
    variance = expand(back.variance.clamp(min=1e-20), x)
    ratio = variance.log() - log_variance
    kl = 0.5 * (ratio.exp() - 1 - ratio + gap.square() * (-log_variance).exp())
    nll = -_log_likelihood(x, mean, log_variance, domain)
    return torch.where(first, nll.flatten(1).sum(1), kl.flatten(1).sum(1))


def _prior_term(x: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
    """KL(q(x_T | x) || N(0, I)) [B]; what is left of x where the chain ends."""
    kl = 0.5 * ((alpha * x).square() + sigma**2 - 1 - 2 * sigma.log())
    return kl.flatten(1).sum(1)


def _log_likelihood(x: Tensor, mean: Tensor, log_variance: Tensor, domain: Domain) -> Tensor:
    """log p(x | x_1) per dimension: a density, or the mass of a Gaussian on the bin of a level (equation 13)."""
    if domain.levels is None:
        return -0.5 * ((x - mean).square() * (-log_variance).exp() + log_variance + math.log(2 * math.pi))
    half = (domain.range[1] - domain.range[0]) / (domain.levels - 1) / 2
    scale = (-0.5 * log_variance).exp()
    above, below = (x - mean + half) * scale, (x - mean - half) * scale
    above = torch.where(x >= domain.range[1] - half, math.inf, above)
    below = torch.where(x <= domain.range[0] + half, -math.inf, below)
    flip = below > 0  # the two tails are mirror images; the difference of two numbers near 1 would lose all digits
    low, high = torch.where(flip, -above, below), torch.where(flip, -below, above)
    log_high, log_low = torch.special.log_ndtr(high), torch.special.log_ndtr(low)
    return log_high + torch.log1p(-(log_low - log_high).exp().clamp(max=1 - 1e-7))
