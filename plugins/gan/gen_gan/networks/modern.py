"""A pair without norms, in the manner of R3GAN's paper (Huang et al. 2024, arXiv:2501.05441, section 4).

Residual blocks 1×1 → grouped 3×3 → 1×1 with an inverted bottleneck and leaky rectifiers; bilinear resampling and a
1×1 convolution between levels; no norm anywhere. In its place the start: the last convolution of a block is 0, the
others are scaled by L^(-1/4), L the number of blocks (Zhang, Dauphin and Ma 2019, Fixup, arXiv:1901.09321). Meant for
the relativistic loss with R1 and R2.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen.component import component, interface, option
from gen_gan.networks.ladder import ImageDiscriminator, ImageGenerator, Ladder, ladder
from gen_gan.networks.layers import GAIN, SLOPE, conv, linear

__all__ = ["ModernDiscriminator", "ModernGenerator"]


class Block(nn.Module):
    """h + expand-filter-project(h): [B, C, h, w] → the same shape."""

    def __init__(self, channels: int, inner: int, group: int, scale: float) -> None:
        super().__init__()
        act = nn.LeakyReLU(SLOPE, inplace=True)
        self.layers = nn.Sequential(
            conv(channels, inner, 1, gain=GAIN * scale),
            act,
            conv(inner, inner, 3, groups=inner // math.gcd(inner, group), gain=GAIN * scale, bias=False),
            nn.LeakyReLU(SLOPE, inplace=True),
            conv(inner, channels, 1, gain=0.0, bias=False),
        )

    def forward(self, h: Tensor) -> Tensor:
        out: Tensor = self.layers(h) + h
        return out


@interface
class _Modern(Ladder):
    """The options that generator and discriminator share."""

    family: ClassVar[str] = "modern"
    blocks: int = option(1, min=1, max=64, doc="residual blocks per level")
    expansion: int = option(2, min=1, max=16, doc="width inside a block, in widths of the level")
    group: int = option(16, min=1, max=65_536, doc="channels per group of the 3×3 convolutions")
    hidden: int = option(
        0, min=0, max=65_536, doc="units of a dense layer between the vector and the base; 0: none, as in the paper"
    )

    def level(self, width: int, levels: int) -> nn.Sequential:
        """The blocks of one level, `levels` + 1 of which the network has."""
        scale = (self.blocks * (levels + 1)) ** -0.25
        inner = width * self.expansion
        return nn.Sequential(*(Block(width, inner, self.group, scale) for _ in range(self.blocks)))


@component
class ModernGenerator(_Modern, ImageGenerator):
    """Learned features of the base, scaled by a linear map of z, then levels of residual blocks; no norm at all.

    The output is linear, as in the paper: samples may leave [-1, 1] a little. Labels join z.
    """

    traits: ClassVar[dict[str, object]] = {"unbounded": True, "sizes": ((1, 8, 8), (3, 32, 32))}
    example: ClassVar[dict[str, object]] = {"width": 8, "max_width": 16}

    def build(self) -> None:
        base, levels = ladder(self.title, self.out_shape, self.least)
        widths = self.widths(levels + 1)[::-1]
        self.begin(widths[0], joins=True, hidden=self.hidden)
        self.basis = nn.Parameter(torch.randn(widths[0], *base))
        self.levels = nn.ModuleList(self.level(width, levels) for width in widths)
        self.joins = nn.ModuleList(_join(a, b) for a, b in pairwise(widths))
        self.last = conv(widths[-1], self.out_shape[0], 1, gain=1.0)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        h, _ = self.enter(z, cond)
        h = self.levels[0](h[:, :, None, None] * self.basis)  # [B, widths[0], *base]
        for join, level in zip(self.joins, list(self.levels)[1:], strict=True):
            h = level(F.interpolate(join(h), scale_factor=2.0, mode="bilinear"))  # 1×1 and bilinear commute
        out: Tensor = self.last(h)
        return out


@component
class ModernDiscriminator(_Modern, ImageDiscriminator):
    """The mirror of `gan/modern-generator`; at the base every channel is summed with learned weights of its own.

    The head is linear, so that scores of patches add up where few levels lead to the base, as from 28 to 7: `hidden`
    lets it judge them together, as it lets the generator place them together.
    """

    example: ClassVar[dict[str, object]] = {"width": 8, "max_width": 16}

    def build(self) -> None:
        base, levels = ladder(self.title, self.in_shape, self.least)
        widths = self.widths(levels + 1)
        self.first = conv(self.begin(self.hidden or widths[-1]), widths[0], 1, gain=1.0)
        self.dense = linear(widths[-1], self.hidden, gain=GAIN) if self.hidden else None
        self.levels = nn.ModuleList(self.level(width, levels) for width in widths)
        self.joins = nn.ModuleList(_join(a, b) for a, b in pairwise(widths))
        self.basis = nn.Parameter(torch.randn(widths[-1], *base) / math.sqrt(base[0] * base[1]))

    def features(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        h = self.levels[0](self.first(self.enter(x, cond)))
        for join, level in zip(self.joins, list(self.levels)[1:], strict=True):
            h = level(join(F.avg_pool2d(h, 2)))  # halving bilinearly is the mean of 2×2
        h = (h * self.basis).sum((2, 3))  # [B, widths[-1]]
        return h if self.dense is None else F.leaky_relu(self.dense(h), SLOPE)


def _join(inputs: int, outputs: int) -> nn.Module:
    """From one level's width to the next's."""
    return nn.Identity() if inputs == outputs else conv(inputs, outputs, 1, gain=1.0, bias=False)
