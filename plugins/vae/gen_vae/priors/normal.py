"""The standard normal prior, p(z) = N(0, I)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gen.component import component
from gen.interfaces import Prior
from gen_vae.noise import normal_like

__all__ = ["Normal"]

LOG_2PI = math.log(2 * math.pi)


@component
class Normal(Prior):
    """The standard normal, p(z) = N(0, I): nothing to learn."""

    def build(self) -> None:
        # It only remembers the device that the model lives on, so it is neither saved nor read.
        self.register_buffer("anchor", torch.zeros(1), persistent=False)

    def sample(self, n: int, rng: torch.Generator | None = None) -> Tensor:
        return normal_like(self.anchor.new_empty(n, *self.shape), rng)

    def log_prob(self, z: Tensor) -> Tensor:
        return -0.5 * (z.square() + LOG_2PI).flatten(1).sum(1)  # [B]
