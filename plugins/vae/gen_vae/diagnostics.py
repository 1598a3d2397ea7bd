"""Figures that tell a healthy latent variable model from a collapsed one; logged, never minimised."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["active_units", "perplexity"]

ACTIVE = 0.01
"""A unit is active when the mean of q(z|x) varies by more than this over x (Burda et al. 2015, arXiv:1509.00519)."""


def active_units(means: Tensor) -> Tensor:
    """How many dimensions of the code [B, *z_shape] vary over the batch: a count [] as a float32."""
    with torch.no_grad():
        return (means.var(0, correction=0) > ACTIVE).sum().float()


def perplexity(counts: Tensor) -> Tensor:
    """exp of the entropy of how often each of V codes was used, counts [V]: from 1 (one code) to V (all alike)."""
    with torch.no_grad():
        shares = counts / counts.sum().clamp(min=1)
        return torch.special.entr(shares).sum().exp()
