"""A denoiser: noisy data and a noise level to a raw output, to which the owner's parameterization gives a meaning.

Convolutions at full size; the noise level reaches every layer as a shift of its channels, made from sines and cosines
of it (Ho et al. 2020, arXiv:2006.11239). Shapes: B batch, C channels, H W sides, F features.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gen.component import component, option
from gen.errors import ShapeError
from gen.interfaces import Denoiser

__all__ = ["ConvDenoiser"]


@component
class ConvDenoiser(Denoiser):
    """Convolutions at full size, each shifted by features of the noise level."""

    example: ClassVar[dict[str, Any]] = {"width": 8, "features": 8}  # small and quick, for checks
    width: int = option(32, min=1, max=4096, doc="channels of the hidden layers")
    depth: int = option(3, min=1, max=64, doc="hidden layers")
    features: int = option(32, min=2, max=4096, doc="size F of the embedding of the noise level")

    def build(self) -> None:
        """Whoever owns the denoiser has set `in_shape`, `out_shape` and `cond`: layers follow from them."""
        if len(self.in_shape) != 3 or self.in_shape[1:] != self.out_shape[1:]:
            raise ShapeError(
                f"ConvDenoiser turns images into images of the same sides, not {self.in_shape} into others"
            )
        if self.cond is not None and self.cond.kind != "class":
            raise ShapeError(f"ConvDenoiser can be told classes, no {self.cond.kind}")
        self.enter = nn.Conv2d(self.in_shape[0], self.width, 3, padding=1)
        self.layers = nn.ModuleList(nn.Conv2d(self.width, self.width, 3, padding=1) for _ in range(self.depth))
        self.shifts = nn.Linear(2 * (self.features // 2), self.depth * self.width)
        self.label = nn.Embedding(self.cond.size + 1, self.depth * self.width) if self.cond is not None else None
        self.leave = nn.Conv2d(self.width, self.out_shape[0], 3, padding=1)

    def forward(self, x_noisy: Tensor, c_noise: Tensor, cond: Tensor | None = None) -> Tensor:
        batch = x_noisy.shape[:1]
        shifts = self.shifts(self.embedded(c_noise.to(x_noisy.dtype).expand(batch)))  # [B, depth width]
        if self.label is not None and self.cond is not None:  # without a label it is told the null one
            told = torch.full(batch, self.cond.null, device=x_noisy.device) if cond is None else cond
            shifts = shifts + self.label(told)
        h = self.enter(x_noisy)  # [B, width, H, W]
        for layer, shift in zip(self.layers, shifts.chunk(self.depth, dim=1), strict=True):
            h = h + layer(nn.functional.silu(h + shift[:, :, None, None]))
        return self.leave(nn.functional.silu(h))  # [B, *out]

    def embedded(self, c_noise: Tensor) -> Tensor:
        """Sines and cosines of c_noise [B] at frequencies from 1 to 100, [B, F]."""
        steps = torch.linspace(0, 2, self.features // 2, device=c_noise.device, dtype=c_noise.dtype)
        angles = c_noise[:, None] * 10**steps
        return torch.cat([angles.sin(), angles.cos()], dim=1)
