"""log p(x) by the probability-flow ODE (Song et al. 2021, arXiv:2011.13456).

    dx/dt = f(x, t) = alpha' D(x, t) + sigma' (x - alpha D(x, t)) / sigma
    log p(x at t_min) = log N(x at 1; 0, sigma(1)^2 I) + integral of div f along the way

The divergence is exact, one vector-Jacobian product per dimension, or estimated without bias by random signs v, as
v . J v (Hutchinson 1990). Solved by the classical Runge-Kutta method of order 4 with equal steps of u = t^(1/p): where
sigma is about proportional to t, p = 3 makes steps short where there is little noise and the density as fine as data.
Of eight sharp Gaussians (deviation 0.05) 48 steps then leave 0.01 nats at worst, where equal steps of t leave 0.4.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gen.noise import expand, level_at
from gen.types import Domain

if TYPE_CHECKING:
    from gen_diffusion.model import DenoisingModel

__all__ = ["ode_log_prob"]


def ode_log_prob(
    model: DenoisingModel, x: Tensor, cond: Tensor | None, *, steps: int, probes: int, power: int = 1
) -> Tensor:
    """An estimate of log p(x) [B] in nats, by equal steps of t^(1/power); with 0 probes the divergence is exact.

    Quantized data are spread over their bins, so that it estimates a lower bound of the log-probability of the levels.
    """
    x, offset = _dequantized(x.float() if x.dtype != torch.float64 else x, model.data.domain)
    shape = (probes or math.prod(x.shape[1:]), *x.shape)
    signs = _axes(x) if not probes else torch.randint(0, 2, shape, device=x.device).to(x.dtype) * 2 - 1
    grid = torch.linspace(model.schedule.t_min ** (1 / power), 1, steps + 1, dtype=torch.float64).tolist()
    gained = x.new_zeros(len(x))
    for start, end in itertools.pairwise(grid):
        x, gained = _step(model, x, gained, cond, signs, start, end, power, exact=not probes)
    sigma = model.schedule.sigma(x.new_ones(()))
    prior = -0.5 * (x / sigma).square() - sigma.log() - 0.5 * math.log(2 * math.pi)
    return prior.flatten(1).sum(1) + gained + offset


def _step(
    model: DenoisingModel,
    x: Tensor,
    gained: Tensor,
    cond: Tensor | None,
    signs: Tensor,
    start: float,
    end: float,
    power: int,
    *,
    exact: bool,
) -> tuple[Tensor, Tensor]:
    """One step of Runge-Kutta in u for the position [B, *shape] and the integral of the divergence [B]."""
    h = end - start
    middle = (start + end) / 2

    def slope(x: Tensor, u: float) -> tuple[Tensor, Tensor]:
        speed = power * u ** (power - 1)  # dt/du
        velocity, divergence = _velocity(model, x, u**power, cond, signs, exact)
        return velocity * speed, divergence * speed

    v1, d1 = slope(x, start)
    v2, d2 = slope(x + h / 2 * v1, middle)
    v3, d3 = slope(x + h / 2 * v2, middle)
    v4, d4 = slope(x + h * v3, end)
    return x + h / 6 * (v1 + 2 * v2 + 2 * v3 + v4), gained + h / 6 * (d1 + 2 * d2 + 2 * d3 + d4)


def _velocity(
    model: DenoisingModel, x: Tensor, t: float, cond: Tensor | None, signs: Tensor, exact: bool
) -> tuple[Tensor, Tensor]:
    """The velocity [B, *shape] at x and its divergence [B]."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        time = x.new_full((len(x),), t)
        level = level_at(model.schedule, time)
        clean = model.denoise(x, time, cond).to(x.dtype)
        noise = (x - expand(level.alpha, x) * clean) / expand(level.sigma, x)
        velocity = expand(level.d_alpha, x) * clean + expand(level.d_sigma, x) * noise
        found = x.new_zeros(len(x))
        for number, sign in enumerate(signs):
            (product,) = torch.autograd.grad(velocity, x, sign, retain_graph=number + 1 < len(signs))
            found = found + (product * sign).flatten(1).sum(1)
    return velocity.detach(), found.detach() / (1 if exact else len(signs))


def _axes(x: Tensor) -> Tensor:
    """The unit vectors of a sample, for every sample: [D, B, *shape]."""
    size = math.prod(x.shape[1:])
    eye = torch.eye(size, dtype=x.dtype, device=x.device).reshape(size, 1, *x.shape[1:])
    return eye.expand(size, *x.shape)


def _dequantized(x: Tensor, domain: Domain) -> tuple[Tensor, float]:
    """x spread evenly over the bin of its level, and the log-volume of a bin: log P(level) >= E log p + log volume."""
    if domain.levels is None:
        return x, 0.0
    width = (domain.range[1] - domain.range[0]) / (domain.levels - 1)
    return x + width * (torch.rand_like(x) - 0.5), math.prod(x.shape[1:]) * math.log(width)
