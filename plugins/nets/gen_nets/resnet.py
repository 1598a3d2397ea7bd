"""Residual encoders and decoders: at every level a strided convolution and a few pre-activation residual blocks.

h ← h + conv(act(norm(conv(act(norm(h)))) + shift)) (He et al. 2016, arXiv:1603.05027), with group norms (Wu & He 2018,
arXiv:1803.08494), which work for any batch and in evaluation as in training.
"""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn

from gen.component import component, interface, option
from gen.interfaces import Decoder, Encoder
from gen_nets.layers import ACTIVATIONS, GAINS, OUTPUT, activation, chain, conv, downsample, map_norm, upsample
from gen_nets.pyramid import Pyramid, from_code, to_code
from gen_nets.staged import Stage

__all__ = ["ResNetDecoder", "ResNetEncoder"]


class ResidualBlock(nn.Module):
    """h ← enter(h), then h + residual(h, shift): [B, C', h', w'] → [B, C, h, w].

    The last convolution starts at 0, so that the block starts as `enter` alone (Goyal et al. 2017, arXiv:1706.02677).
    """

    def __init__(self, enter: nn.Module, channels: int, act: str) -> None:
        super().__init__()
        self.enter = enter
        self.residual = Stage(
            chain(
                map_norm("group", channels),
                activation(act),
                conv(channels, channels, 3, GAINS[act], bias=False),
                map_norm("group", channels),
            ),
            chain(activation(act), conv(channels, channels, 3, gain=0.0)),
        )

    def forward(self, h: Tensor, shift: Tensor | None = None) -> Tensor:
        h = self.enter(h)
        h = self.residual(h, shift) + h  # in this order: a sum has the memory format of its first term
        return h


@interface
class _ResNet(Pyramid):
    """The options that encoder and decoder share."""

    family: ClassVar[str] = "resnet"
    blocks: int = option(1, min=1, max=256, doc="residual blocks per level")
    activation: str = option("silu", choices=ACTIVATIONS, doc="before every convolution of a block")

    def chain_up(self, enters: list[nn.Module], widths: list[int], head: nn.Module) -> None:
        """Assembles the levels: each enters through its own layer and goes on with its blocks."""
        stages = [
            ResidualBlock(nn.Identity() if block else enter, width, self.activation)
            for enter, width in zip(enters, widths, strict=True)
            for block in range(self.blocks)
        ]
        per_block = [width for width in widths for _ in range(self.blocks)]
        last = chain(map_norm("group", widths[-1]), activation(self.activation), head)
        self.assemble(stages, per_block, last, maps=len(stages))


@component
class ResNetEncoder(_ResNet, Encoder):
    """Residual blocks with group norms at every level, the sides halved on entering it.

    From images (C, H, W) to a vector (D,) or a map (C', H/2**depth, W/2**depth). Blocks start as the identity. A
    condition is a bias per block and channel.
    """

    def build(self) -> None:
        low, widths = self.fit(self.in_shape, self.out_shape), self.widths()
        enters = [downsample(inputs, outputs) for inputs, outputs in pairwise([self.in_shape[0], *widths])]
        head = to_code(widths[-1], low, self.out_shape, OUTPUT * GAINS[self.activation])
        self.chain_up([*enters], widths, head)


@component
class ResNetDecoder(_ResNet, Decoder):
    """Residual blocks with group norms at every level, the sides doubled on leaving it: the mirror of `resnet-encoder`.

    From a vector (D,) or a map (C', H/2**depth, W/2**depth) to images (C, H, W), upsampled as in `conv-decoder`.
    """

    def build(self) -> None:
        low, widths = self.fit(self.out_shape, self.in_shape), self.widths()[::-1]
        enters = [upsample(inputs, outputs) for inputs, outputs in pairwise(widths)]
        head = upsample(widths[-1], self.out_shape[0], OUTPUT * GAINS[self.activation])
        self.chain_up([from_code(self.in_shape, widths[0], low), *enters], widths, head)
