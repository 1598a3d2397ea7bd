"""Codes from the standard normal, whatever the model's codes are like."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gen.component import component
from gen_vae.samplers.latent import Latent

__all__ = ["LatentNormal"]


@component
class LatentNormal(Latent):
    """New samples: z ~ N(0, I), then what z stands for. Nothing makes an autoencoder's codes normal, so it fails.

    It learns the size of codes alone, and shows what the other latent densities are good for.
    """

    def learn(self, codes: Tensor) -> dict[str, Tensor]:
        return {"scale": codes.new_ones(codes.shape[1])}

    def density_draws(self, learned: Mapping[str, Tensor], n: int, rng: torch.Generator) -> Tensor:
        size = len(learned["scale"])
        return torch.randn(n, size, generator=rng, device=rng.device, dtype=torch.float64)
