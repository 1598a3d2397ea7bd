"""How networks are told the noise level and the label: one vector per sample, for every block to use."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gen.errors import ShapeError
from gen.types import CondSpec

__all__ = ["Conditioning", "features"]

SLOWEST, FASTEST = 1.0, 1000.0
"""Radians per unit of c_noise. Models hand over t in [0, 1] or ln(sigma/alpha)/4 within about [-2, 2]."""


def features(c_noise: Tensor, size: int) -> Tensor:
    """cos and sin of c_noise [B] at geometric frequencies, [B, size] in float32 (Vaswani et al. 2017)."""
    half = size // 2
    steps = torch.arange(half, device=c_noise.device, dtype=torch.float32) / max(half - 1, 1)
    rates = SLOWEST * (FASTEST / SLOWEST) ** steps
    angles = c_noise.to(torch.promote_types(c_noise.dtype, torch.float32))[:, None] * rates  # [B, size / 2]
    return torch.cat([angles.cos(), angles.sin()], dim=1)


class Conditioning(nn.Module):
    """c_noise [B], and labels [B] where there are any, → [B, width].

    The embedding of labels has a row more, for the null label; `cond=None` is that label for every sample.

    Raises:
        ShapeError: the condition is no class label.
    """

    def __init__(self, width: int, cond: CondSpec | None, size: int = 64) -> None:
        super().__init__()
        if cond is not None and cond.kind != "class":
            raise ShapeError(f"this denoiser can be told a class, not a {cond.kind}: set conditional: false")
        self.size, self.null = size, None if cond is None else cond.null
        self.first, self.second = nn.Linear(size, width), nn.Linear(width, width)
        self.labels = nn.Embedding(cond.size + 1, width) if cond is not None else None

    def forward(self, c_noise: Tensor, cond: Tensor | None) -> Tensor:
        """The vector [B, width] that the blocks are told."""
        waves = features(c_noise, self.size).to(self.first.weight.dtype)  # [B, size]
        code: Tensor = self.second(nn.functional.silu(self.first(waves)))  # [B, width]
        if self.labels is None:
            return code
        if cond is None:
            assert self.null is not None, "there are labels, so there is a null label"
            cond = torch.full(c_noise.shape[:1], self.null, device=c_noise.device)
        told: Tensor = code + self.labels(cond)
        return told
