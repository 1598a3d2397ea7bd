"""What denoisers are held against: Gaussian noise, and a median filter of images.

Shapes: B batch, C channels, H W sides.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["median", "noisy"]


def noisy(x: Tensor, sigma: float) -> Tensor:
    """x + sigma noise [B, C, H, W], drawn from the global generator."""
    return x + sigma * torch.randn_like(x)


def median(x: Tensor, size: int) -> Tensor:
    """The median of every pixel's size x size neighbourhood (odd sizes), edges mirrored, [B, C, H, W]."""
    margin = size // 2
    padded = F.pad(x, [margin] * 4, mode="reflect")
    windows = F.unfold(padded.flatten(0, 1)[:, None], size)  # [B C, size², H W]
    return windows.median(1).values.view_as(x)
