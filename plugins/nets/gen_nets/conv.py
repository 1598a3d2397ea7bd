"""Plain convolutional networks: one strided convolution per level, as in DCGAN without its norms."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

from torch import nn

from gen.component import component, interface, option
from gen.errors import ShapeError
from gen.interfaces import Decoder, Discriminator, Encoder
from gen_nets.layers import ACTIVATIONS, GAINS, OUTPUT, activation, chain, downsample, linear, map_norm, upsample
from gen_nets.pyramid import Pyramid, from_code, to_code
from gen_nets.staged import Stage

__all__ = ["ConvDecoder", "ConvDiscriminator", "ConvEncoder"]


@interface
class _Conv(Pyramid):
    """The options that encoder, decoder and discriminator share."""

    family: ClassVar[str] = "conv"
    norm: str = option("none", choices=("none", "batch", "group", "layer"), doc="before every activation")
    activation: str = option("relu", choices=ACTIVATIONS, doc="after every level")

    def stage(self, layer: nn.Module, width: int) -> Stage:
        """A level: the layer, its norm, the shift of the condition, the activation."""
        return Stage(chain(layer, map_norm(self.norm, width)), activation(self.activation))

    def down(self, channels: int, widths: list[int]) -> list[nn.Module]:
        """The levels from an image of so many channels down."""
        gain, bias = GAINS[self.activation], self.norm == "none"
        layers = [downsample(channels, widths[0], bias=bias)]  # reads data, not an activation
        layers += [downsample(inputs, outputs, gain, bias) for inputs, outputs in pairwise(widths)]
        return [self.stage(layer, width) for layer, width in zip(layers, widths, strict=True)]


@component
class ConvEncoder(_Conv, Encoder):
    """Strided convolutions, halving the sides at every level (Radford et al. 2015, arXiv:1511.06434).

    From images (C, H, W) to a vector (D,) or a map (C', H/2**depth, W/2**depth). Hidden layers keep the second moment
    of what passes through them and the output starts small. A condition is a bias per level and channel.
    """

    def build(self) -> None:
        low, widths = self.fit(self.in_shape, self.out_shape), self.widths()
        stages = self.down(self.in_shape[0], widths)
        head = to_code(widths[-1], low, self.out_shape, GAINS[self.activation] * OUTPUT)
        self.assemble(stages, widths, head, maps=self.depth)


@component
class ConvDecoder(_Conv, Decoder):
    """Transposed convolutions, doubling the sides at every level: the mirror of `conv-encoder`.

    From a vector (D,) or a map (C', H/2**depth, W/2**depth) to images (C, H, W). The transposed convolutions start as
    nearest upsampling followed by a convolution, which leaves no checkerboard (Odena et al. 2016), at half its cost.
    """

    def build(self) -> None:
        low, widths = self.fit(self.out_shape, self.in_shape), self.widths()[::-1]
        gain, bias = GAINS[self.activation], self.norm == "none"
        layers = [from_code(self.in_shape, widths[0], low, bias)]
        layers += [upsample(inputs, outputs, gain, bias) for inputs, outputs in pairwise(widths)]
        stages = [self.stage(layer, width) for layer, width in zip(layers, widths, strict=True)]
        self.assemble(stages, widths, upsample(widths[-1], self.out_shape[0], gain * OUTPUT), maps=self.depth)


@component
class ConvDiscriminator(_Conv, Discriminator):
    """Strided convolutions, halving the sides at every level, then a linear layer to one logit.

    For images, or the tuple (x, z) of an image and a code: z adds a bias per level and channel, as a condition does,
    and joins every hidden layer. `features(x, cond)` gives the last hidden layer, or without one the last feature map.
    """

    hidden: tuple[int, ...] = option((), min=1, max=65_536, doc="widths of the hidden layers after the levels")

    def build(self) -> None:
        if self.out_shape != ():
            raise ShapeError(f"{self.title} gives one logit per sample, shape (), and {self.out_shape} is asked of it")
        low, widths, gain = self.fit(self.main_shape, (1,)), self.widths(), GAINS[self.activation]
        stages = self.down(self.main_shape[0], widths)
        sizes = [widths[-1] * low[0] * low[1], *self.hidden]
        enter: nn.Module | None = nn.Flatten()
        for inputs, outputs in pairwise(sizes):
            stages.append(Stage(chain(enter, linear(inputs, outputs, gain)), activation(self.activation)))
            enter = None
        head = chain(enter, linear(sizes[-1], 1, gain * OUTPUT), nn.Flatten(0))
        self.assemble(stages, [*widths, *self.hidden], head, maps=self.depth)
