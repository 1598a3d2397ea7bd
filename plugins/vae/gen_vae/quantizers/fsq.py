"""Finite scalar quantization (Mentzer et al. 2023, VQ-VAE Made Simple, arXiv:2309.15505)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gen.component import component, option
from gen.errors import ShapeError
from gen.precision import no_autocast
from gen_vae.quantizers.quantizer import Quantized, Quantizer

__all__ = ["FSQ"]

SLACK = 1e-3
"""The outermost levels are reached a little before tanh ends."""


@component
class FSQ(Quantizer):
    """Rounds every dimension of a code to a few levels: no codebook, nothing to learn, no penalty, no dead codes.

    A dimension is squeezed into its range by tanh and rounded; the token numbers the combination. Code vectors lie in
    [-1, 1].
    """

    levels: tuple[int, ...] = option(
        (8, 5, 5, 5), min=2, max=65_536, doc="levels of each dimension; V is their product"
    )

    def build(self) -> None:
        if self.shape[0] != len(self.levels):
            raise ShapeError(
                f"vae/fsq has {len(self.levels)} levels, one per dimension of a code vector, but codes have "
                f"{self.shape[0]}: set latent: {len(self.levels)}, or state {self.shape[0]} levels"
            )
        counts = torch.tensor(self.levels)
        self.register_buffer("counts", counts, persistent=False)  # [D]
        self.register_buffer("places", torch.cat([counts.new_ones(1), counts[:-1].cumprod(0)]), persistent=False)

    @property
    def values(self) -> int:
        return math.prod(self.levels)

    def forward(self, z: Tensor) -> Quantized:
        with no_autocast(z.device):
            bounded = self._squeeze(z.movedim(1, -1))  # [B, *sites, D]
            digits = bounded.detach().round() + self.counts // 2
            tokens = (digits.long() * self.places).sum(-1)
            vectors = (bounded + (bounded.round() - bounded).detach()) / (self.counts // 2)
            return Quantized(vectors.movedim(-1, 1), tokens, z.new_zeros(len(z)))

    def lookup(self, tokens: Tensor) -> Tensor:
        digits = tokens.unsqueeze(-1) // self.places % self.counts  # [B, *sites, D]
        half = self.counts // 2
        return ((digits - half) / half).movedim(-1, 1)

    def _squeeze(self, z: Tensor) -> Tensor:
        """Each dimension into the range that rounds to its levels, such that 0 stays 0; an even count has one below."""
        half = (self.counts - 1) * (1 + SLACK) / 2
        offset = 0.5 * (1 - self.counts % 2)
        return (z + (offset / half).atanh()).tanh() * half - offset
