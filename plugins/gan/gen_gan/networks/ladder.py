"""The sides that a network passes through: from a base of a few pixels, doubled at every level, to the image.

28 = 7 * 2 * 2, 32 = 4 * 2 * 2 * 2, 96 = 6 * 2^4, with a base of at least 4. What does not fit is refused with the next
side that does.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

from gen.component import interface, option
from gen.errors import ShapeError
from gen.interfaces import Discriminator, Generator, Network
from gen.types import Shape
from gen_gan.networks.condition import Code
from gen_gan.networks.layers import GAIN, SLOPE, linear

__all__ = ["ImageDiscriminator", "ImageGenerator", "Ladder", "ladder"]

MOST = 15
"""The largest side of a base, in pixels."""

CODE = 64
"""Features of the code that conditional norms are told."""


def ladder(title: str, image: Shape, least: int = 4) -> tuple[tuple[int, int], int]:
    """The sides of the base, `least` pixels or more, and the number of doublings that lead to the image's.

    Raises:
        ShapeError: `image` is none, or its sides do not come from doubling a base of at most 15 pixels.
    """
    if len(image) != 3:
        raise ShapeError(f"{title} is a network of images (C, H, W), got the shape {image}")
    height, width = image[1:]
    levels = 0
    while not (height >> levels & 1 or width >> levels & 1) and min(height, width) >> levels + 1 >= least:
        levels += 1
    base = (height >> levels, width >> levels)
    if not levels or max(base) > MOST:
        raise ShapeError(
            f"{title} doubles a base of {least} to {MOST} pixels, as 28 = 7*2*2; sides of {height}x{width} do not come "
            f"from one: pad or resize to {'x'.join(map(str, _fitting(height, width, least)))}"
        )
    return base, levels


def _fitting(height: int, width: int, least: int) -> tuple[int, int]:
    """The fewest pixels not below these sides that are a base, doubled."""
    factors = (2**level for level in range(1, max(height, width).bit_length() + 1))
    bases = [(f, max(least, -(-height // f)), max(least, -(-width // f))) for f in factors]
    return min(((f * a, f * b) for f, a, b in bases if max(a, b) <= MOST), key=math.prod)


@interface
class Ladder(Network):
    """Widths by level, shared by generators and discriminators."""

    family: ClassVar[str]
    width: int = option(64, min=1, max=65_536, doc="channels at the level next to the image")
    growth: int = option(2, min=1, max=16, doc="factor of the channels from level to level, towards the base")
    least: int = option(4, min=1, max=7, doc="least side of the base in pixels: smaller, deeper")
    max_width: int = option(512, min=1, max=65_536, doc="the most channels a level may have")

    @property
    def title(self) -> str:
        """What messages call the network: `dcgan-generator`."""
        return f"{self.family}-{self.kind}"

    def widths(self, levels: int) -> list[int]:
        """Channels of each of the levels, from the image to the base."""
        return [min(self.width * self.growth**level, self.max_width) for level in range(levels)]


@interface
class ImageGenerator(Ladder, Generator):
    """z [B, D] → an image in [-1, 1]; told labels through its norms or together with z."""

    def begin(self, outputs: int, *, joins: bool, hidden: int = 0, norm: bool = False) -> int:
        """Makes the first layer, z → [B, outputs], which labels join, or else the norms are to be told of them.

        With `hidden` units it is two layers, a rectifier between them and, with `norm`, a batch norm before that.

        Returns:
            The features of the code that norms are told; 0 where they are told nothing.
        """
        if len(self.in_shape) != 1:
            raise ShapeError(f"{self.title} reads a vector z (D,), got the shape {self.in_shape}: wire it to latents")
        self.joins_z = joins
        inputs = self.in_shape[0]
        self.first = _dense(inputs, hidden, outputs, norm=norm) if hidden else linear(inputs, outputs)
        self.code = None if self.cond is None else Code(self.title, self.cond, outputs if joins else CODE)
        return CODE if self.cond is not None and not joins else 0

    def enter(self, z: Tensor, cond: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """The first features [B, outputs], and the code for the norms [B, K] or None."""
        h: Tensor = self.first(z)
        if self.code is None:
            return h, None
        code = self.code(z, cond)
        return (h + code, None) if self.joins_z else (h, code)


def _dense(inputs: int, hidden: int, outputs: int, *, norm: bool) -> nn.Module:
    """[B, inputs] → [B, outputs] through a hidden layer."""
    if norm:
        middle = [linear(inputs, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU()]
    else:
        middle = [linear(inputs, hidden, gain=GAIN), nn.LeakyReLU(SLOPE, inplace=True)]
    return nn.Sequential(*middle, linear(hidden, outputs))


@interface
class ImageDiscriminator(Ladder, Discriminator):
    """An image → one logit [B]; told labels by projection or together with x.

    What derives from it makes `body` in `build`, and says what follows it in `features`.
    """

    condition: str = option(
        "projection", choices=("projection", "input"), doc="labels act on the last features, or join x as a channel"
    )

    def begin(self, features: int, *, spectral: bool = False, gain: float = 1.0) -> int:
        """Makes the head over `features` numbers; returns the channels that the first layer reads."""
        if self.out_shape != ():
            raise ShapeError(f"{self.title} gives one logit per sample, shape (), and {self.out_shape} is asked of it")
        joins = self.condition == "input"
        self.head = linear(features, 1, spectral=spectral, gain=gain)
        self.projection = 1.0 if spectral else features**-0.5  # a spectral map is small already
        if self.cond is None:
            self.code = None
        elif joins:
            self.code = Code(self.title, self.cond, self.in_shape[1] * self.in_shape[2])
        else:
            self.code = Code(self.title, self.cond, features, spectral=spectral)
        return self.in_shape[0] + (joins and self.cond is not None)

    def enter(self, x: Tensor, cond: Tensor | None) -> Tensor:
        """x, with the label's channel where it joins: [B, C or C + 1, H, W]."""
        if self.code is None or self.condition != "input":
            return x
        channel = self.code(x, cond).view(-1, 1, *self.in_shape[1:])
        return torch.cat([x, channel.to(x.dtype)], dim=1)

    @abstractmethod
    def features(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """The last features [B, features], before the head."""

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        h = self.features(x, cond)
        logits: Tensor = self.head(h).squeeze(1)  # [B]
        if self.code is not None and self.condition == "projection":
            logits = logits + self.projection * (self.code(x, cond) * h).sum(1)
        return logits
