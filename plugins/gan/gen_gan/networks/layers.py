"""The layers that the networks here are made of, and how they start.

Weights of layers without a norm keep the second moment of what passes through (He et al. 2015, arXiv:1502.01852);
layers before a batch norm start at N(0, 0.02²) as in DCGAN, which the norm makes a matter of taste.
"""

from __future__ import annotations

import math
from typing import TypeVar

from torch import Tensor, nn

from gen_gan.networks.spectral import SpectralConv2d, SpectralLinear

__all__ = ["SLOPE", "ConditionalNorm", "conv", "linear", "upconv"]

SLOPE = 0.2
"""Of leaky rectifiers (Radford et al. 2015)."""

GAIN = math.sqrt(2.0 / (1.0 + SLOPE**2))

L = TypeVar("L", nn.Linear, nn.Conv2d, nn.ConvTranspose2d)


def conv(
    inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1, gain: float = GAIN,
    bias: bool = True, spectral: bool = False,
) -> nn.Conv2d:  # fmt: skip
    """[B, inputs, h, w] → [B, outputs, h/stride, w/stride]; an even kernel goes with stride 2."""
    make = SpectralConv2d if spectral else nn.Conv2d
    layer = make(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups, bias=bias)
    return layer if spectral else start(layer, gain / math.sqrt(inputs // groups * kernel**2))


def upconv(inputs: int, outputs: int, *, gain: float = 1.0, bias: bool = True) -> nn.ConvTranspose2d:
    """[B, inputs, h, w] → [B, outputs, 2h, 2w]: kernel 4 and stride 2, every output covered by four taps."""
    layer = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=bias)
    return start(layer, gain / math.sqrt(inputs * 4))


def linear(inputs: int, outputs: int, *, gain: float = 1.0, bias: bool = True, spectral: bool = False) -> nn.Linear:
    """[B, inputs] → [B, outputs]."""
    if spectral:
        return SpectralLinear(inputs, outputs, bias=bias)
    return start(nn.Linear(inputs, outputs, bias=bias), gain / math.sqrt(inputs))


def start(layer: L, std: float) -> L:
    """Normal weights of this spread, biases 0."""
    nn.init.normal_(layer.weight, std=std)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class ConditionalNorm(nn.Module):
    """Batch norm whose gain and shift are linear in a code of the condition (Dumoulin et al. 2017, arXiv:1610.07629).

    [B, C, h, w] and a code [B, K] or None → [B, C, h, w]; without `code` features it is an ordinary batch norm. The
    codes start without effect.
    """

    def __init__(self, channels: int, code: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.told = start(nn.Linear(code, 2 * channels, bias=False), 0.0) if code else None

    def forward(self, h: Tensor, code: Tensor | None = None) -> Tensor:
        out: Tensor = self.norm(h)
        if self.told is None or code is None:
            return out
        gain, shift = self.told(code)[:, :, None, None].chunk(2, dim=1)  # [B, C, 1, 1] each
        return out + out * gain + shift
