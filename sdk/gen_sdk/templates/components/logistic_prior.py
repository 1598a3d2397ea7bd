"""A prior: something to draw codes from, and their density.

    p(z) = prod_i exp(-z_i / s) / (s (1 + exp(-z_i / s))²)

The logistic density, with tails heavier than the normal's; s = sqrt(3) / pi makes its variance 1. Shapes: B batch, D
latent size.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus

from gen.component import component, option
from gen.interfaces import Prior

__all__ = ["LogisticPrior"]


@component
class LogisticPrior(Prior):
    """Independent logistic variables: nothing to learn, tails heavier than the normal's."""

    scale: float = option(math.sqrt(3) / math.pi, above=0, max=1e6, doc="scale s of every dimension")

    def sample(self, n: int, rng: torch.Generator | None = None) -> Tensor:
        """z = s log(u / (1 - u)), u uniform in (0, 1). Whoever owns the prior has set `shape`."""
        device = None if rng is None else rng.device
        u = torch.rand(n, *self.shape, generator=rng, dtype=torch.float64, device=device)  # [n, D]
        return (self.scale * u.clamp(1e-12, 1 - 1e-12).logit()).to(torch.get_default_dtype())

    def log_prob(self, z: Tensor) -> Tensor:
        y = z / self.scale
        nats = y + 2 * softplus(-y) + math.log(self.scale)  # [B, D]
        return -nats.flatten(1).sum(1)  # [B]
