"""Codes from one Gaussian, fitted to those of the training data."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gen.component import component
from gen_vae.samplers.latent import Latent

__all__ = ["LatentGaussian", "root_of"]

JITTER = 1e-6
"""Share of the mean variance added to every variance: codes may lie in a plane."""


@component
class LatentGaussian(Latent):
    """New samples: z from the Gaussian with the mean and covariance of the codes, then what z stands for."""

    def learn(self, codes: Tensor) -> dict[str, Tensor]:
        offsets = codes - codes.mean(0)
        return {"mean": codes.mean(0), "root": root_of(offsets.T @ offsets / len(codes))}

    def density_draws(self, learned: Mapping[str, Tensor], n: int, rng: torch.Generator) -> Tensor:
        mean = learned["mean"]
        noise = torch.randn(n, len(mean), generator=rng, device=rng.device, dtype=mean.dtype)
        return mean + noise @ learned["root"].T


def root_of(covariances: Tensor) -> Tensor:
    """The lower triangular roots of covariances [..., D, D], which may be singular."""
    eye = torch.eye(covariances.shape[-1], dtype=covariances.dtype)
    level = covariances.diagonal(dim1=-2, dim2=-1).mean(-1)[..., None, None]
    return torch.linalg.cholesky(covariances + (JITTER * level + 1e-12) * eye).contiguous()
