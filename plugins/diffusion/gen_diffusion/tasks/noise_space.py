"""From data to the noise that the probability flow makes them of, and paths between two noises."""

from __future__ import annotations

import torch
from torch import Tensor

from gen_diffusion.samplers.ode import heun_step
from gen_diffusion.samplers.walk import Walk

__all__ = ["invert", "spherical"]


def invert(walk: Walk, x: Tensor) -> Tensor:
    """The noisy x [n, *shape] at the first stop that the flow carries to the data x: DDIM inversion.

    The ODE of Song et al. 2021 (arXiv:2010.02502), walked backwards by Heun's method, of order 2; two network calls
    a step. It begins at the grid's last noisy stop, where x has next to no noise: a grid that ends far from
    clean (trailing) inverts badly.
    """
    last = walk.grid.steps - 1
    x = walk.grid.alpha[last] * x
    for i in range(last, 0, -1):
        x, _ = heun_step(walk, x, i, i - 1)
    return x


def spherical(a: Tensor, b: Tensor, share: Tensor) -> Tensor:
    """Points [R, S, *shape] on the arcs from a to b [R, *shape] at the shares [S], 0 to 1; straight where in line.

    The arc keeps the length that noise has, which a straight line would shorten (White 2016, arXiv:1609.04468).
    """
    share = share.view(1, -1, *[1] * (a.dim() - 1))
    cosine = torch.cosine_similarity(a.flatten(1), b.flatten(1)).clamp(-1, 1)
    angle = cosine.acos().view(-1, 1, *[1] * (a.dim() - 1))  # [R, 1, ...]
    flat = angle.sin() < 1e-4  # there the quotient is 0/0
    unit = torch.where(flat, 1.0, angle.sin())
    first = torch.where(flat, 1 - share, ((1 - share) * angle).sin() / unit)
    second = torch.where(flat, share, (share * angle).sin() / unit)
    return first * a.unsqueeze(1) + second * b.unsqueeze(1)
