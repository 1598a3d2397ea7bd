"""Gaussian blur: no noise, but detail is lost all the same."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from gen.component import component, option
from gen.errors import ShapeError
from gen.interfaces import Corruption

__all__ = ["Blur"]


@component
class Blur(Corruption):
    """Each pixel becomes a Gaussian mean of its neighbours; beyond the border the image goes on as it ends there."""

    width: float = option(1.0, above=0, max=100, doc="standard deviation of the blur, in pixels")

    def __call__(self, x: Tensor, rng: torch.Generator | None = None) -> Tensor:
        if x.ndim != 4:
            raise ShapeError(f"vae/blur spoils images (C, H, W), got the shape {tuple(x.shape[1:])}")
        reach = math.ceil(3 * self.width)
        offsets = torch.arange(-reach, reach + 1, device=x.device, dtype=x.dtype)
        weights = (-0.5 * (offsets / self.width).square()).exp()
        weights = weights / weights.sum()
        padded = F.pad(x, (reach, reach, reach, reach), mode="replicate").flatten(0, 1).unsqueeze(1)
        rows = F.conv2d(padded, weights.view(1, 1, -1, 1))  # [B C, 1, H, W + 2 reach]
        return F.conv2d(rows, weights.view(1, 1, 1, -1)).view_as(x)
