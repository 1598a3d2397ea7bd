"""Networks that go pixel by pixel: features of the pixels before, then a head that goes through a pixel's channels.

A cached step computes one pixel in every layer. Shapes: B batch, F features, C channels, H W sides, K numbers per
factor.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Protocol

import attrs
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen.component import interface
from gen.errors import ShapeError
from gen.interfaces import Autoregressor

__all__ = ["ChannelHead", "RasterNetwork", "Walk", "per_factor"]


class Walk(Protocol):
    """Features of one pixel after another, in raster order."""

    def __call__(self, row: int, column: int, before: Tensor | None) -> Tensor:
        """Features [B, F] of this pixel, given the pixel before it [B, C] (None for the first)."""


@attrs.define
class Cache:
    """What a network remembers: the walk of its features, the pixel in hand, the features of that pixel."""

    walk: Walk
    pixel: Tensor  # [B, C], channels drawn so far
    features: Tensor | None = None  # [B, F]


@interface
class RasterNetwork(Autoregressor):
    """An autoregressor made of features of earlier pixels and a head; `build` makes `head`, a ChannelHead."""

    @abstractmethod
    def features(self, x: Tensor, cond: Tensor | None) -> Tensor:
        """[B, C, H, W] → [B, F, H, W]: each pixel's features see the pixels before it, and nothing else."""

    @abstractmethod
    def walk(self, batch: int, cond: Tensor | None) -> Walk:
        """The same features, one pixel after another."""

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.head(self.features(x, cond), x)

    def start(self, batch: int, cond: Tensor | None = None) -> Cache:
        like = next(self.parameters())
        return Cache(self.walk(batch, cond), like.new_zeros(batch, self.in_shape[0]))

    def step(self, cache: Any, position: int, previous: Tensor | None) -> Tensor:
        channels, _, width = self.in_shape
        site, channel = divmod(position, channels)
        if previous is not None:
            cache.pixel[:, channel - 1] = previous  # channel 0 follows the last channel of the pixel before
        if channel == 0:
            cache.features = cache.walk(*divmod(site, width), cache.pixel if site else None)
        return self.head.step(cache.features, cache.pixel, channel)


class ChannelHead(nn.Module):
    """Features of earlier pixels, and the earlier channels of the same pixel → the K numbers of every channel.

    For each channel c one hidden layer: act(W_c act(features) + U_c x_<c), then a linear map. This is what makes a
    network of pixels a network of values, with channels in order.
    """

    def __init__(self, features: int, hidden: int, channels: int, per: int) -> None:
        super().__init__()
        self.channels, self.hidden = channels, hidden
        self.enter = nn.Conv2d(features, channels * hidden, 1)
        self.lower = nn.Parameter(torch.randn(channels, hidden, channels) / channels) if channels > 1 else None
        self.leave = nn.Conv2d(channels * hidden, channels * per, 1, groups=channels)

    def forward(self, features: Tensor, x: Tensor) -> Tensor:
        """[B, F, H, W], [B, C, H, W] → [B, K C, H, W], K outermost."""
        hidden = self.enter(F.silu(features))  # [B, C hidden, H, W]
        if self.lower is not None:
            mask = torch.ones_like(self.lower[:, 0]).tril(-1)  # [C, C]: a channel sees the channels before it
            weight = (self.lower * mask.unsqueeze(1)).flatten(0, 1)[..., None, None]
            hidden = hidden + F.conv2d(x, weight)
        out = self.leave(F.silu(hidden)).unflatten(1, (self.channels, -1))  # [B, C, K, H, W]
        return out.transpose(1, 2).flatten(1, 2)

    def step(self, features: Tensor, pixel: Tensor, channel: int) -> Tensor:
        """[B, F] and the pixel so far [B, C] → the K numbers [B, K] of one channel."""
        mine = slice(channel * self.hidden, (channel + 1) * self.hidden)
        hidden = F.linear(F.silu(features), self.enter.weight[mine, :, 0, 0], self.enter.bias[mine])
        if self.lower is not None:
            hidden = hidden + F.linear(pixel[:, :channel], self.lower[channel, :, :channel])
        per = self.leave.out_channels // self.channels
        mine = slice(channel * per, (channel + 1) * per)
        return F.linear(F.silu(hidden), self.leave.weight[mine, :, 0, 0], self.leave.bias[mine])


def per_factor(title: str, in_shape: tuple[int, ...], out_shape: tuple[int, ...]) -> int:
    """K, the numbers per factor.

    Raises:
        ShapeError: these are no images, or the output has no whole number of numbers for each value.
    """
    if len(in_shape) != 3 or len(out_shape) != 3 or in_shape[1:] != out_shape[1:] or out_shape[0] % in_shape[0]:
        raise ShapeError(
            f"{title} goes from images (C, H, W) to (K C, H, W) for a whole K, but was wired from {in_shape} "
            f"to {out_shape}"
        )
    return out_shape[0] // in_shape[0]
