"""The layers that image denoisers are made of. Shapes: B batch, C channels, H W sides, E the width of the condition."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

__all__ = ["MapAttention", "Residual", "divisor", "rerun", "zeroed"]

M = TypeVar("M", nn.Linear, nn.Conv2d)

LEAST_PER_GROUP = 4
"""Channels that a group of a norm has at least: over one channel of one pixel it would leave nothing."""
MOST_GROUPS = 32
LEAST_HEAD = 32


class Residual(nn.Module):
    """x + what two convolutions make of it, told the condition by a scale and a shift (Dhariwal and Nichol 2021).

    The second convolution starts at zero, so the block starts as the identity (or as its 1x1 skip).
    """

    def __init__(self, inputs: int, outputs: int, told: int, dropout: float) -> None:
        super().__init__()
        self.norm = map_norm(inputs)
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.affine = nn.Linear(told, 2 * outputs)
        self.second_norm = map_norm(outputs)
        self.drop = nn.Dropout(dropout)
        self.second = zeroed(nn.Conv2d(outputs, outputs, 3, padding=1))
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """x [B, C, H, W] and code [B, E] → [B, C', H, W]."""
        h = self.first(F.silu(self.norm(x)))
        scale, shift = self.affine(code)[:, :, None, None].chunk(2, dim=1)  # [B, C', 1, 1] each
        h = torch.addcmul(shift, self.second_norm(h), 1 + scale)
        h = self.second(self.drop(F.silu(h)))
        out: Tensor = self.skip(x) + h
        return out


class MapAttention(nn.Module):
    """x + attention among all pixels of a map; its output starts at zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.heads = divisor(channels, channels // LEAST_HEAD)
        self.norm = map_norm(channels)
        self.enter = nn.Conv2d(channels, 3 * channels, 1)
        self.leave = zeroed(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] → [B, C, H, W]."""
        joint = self.enter(self.norm(x)).flatten(2).unflatten(1, (3, self.heads, -1))  # [B, 3, heads, C/heads, HW]
        query, key, value = joint.transpose(3, 4).unbind(1)
        seen = F.scaled_dot_product_attention(query, key, value)  # [B, heads, HW, C/heads]
        out: Tensor = self.leave(seen.transpose(2, 3).reshape(x.shape))
        return x + out


def map_norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(divisor(channels, min(MOST_GROUPS, channels // LEAST_PER_GROUP)), channels)


def divisor(number: int, most: int) -> int:
    """The largest divisor of a number that is at most `most`; 1 where there is none."""
    return next((d for d in range(min(number, most), 1, -1) if number % d == 0), 1)


def zeroed(layer: M) -> M:
    """The layer, which now answers zero until it is trained."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def rerun(active: bool, block: nn.Module, *given: Tensor) -> Tensor:
    """The block's output; where active, what lies inside is worked out again in the backward pass, not kept."""
    if not active or not torch.is_grad_enabled():
        kept: Tensor = block(*given)
        return kept
    again: Tensor = checkpoint(block, *given, use_reentrant=False)
    return again
