"""The layers that all networks here are made of, and how they start.

Initialisation: every layer keeps the second moment of what passes through it (He et al. 2015, arXiv:1502.01852, for
any activation f). A layer that reads f(h) with h ~ N(0, 1) gets weights ~ N(0, gain²/fan_in) with
gain = 1/sqrt(E[f(h)²]); a layer that reads anything else has gain 1. Biases start at 0. The last layer starts at a
tenth of that (`OUTPUT`): a posterior starts near the prior, logits near 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

__all__ = [
    "ACTIVATIONS",
    "GAINS",
    "OUTPUT",
    "activation",
    "chain",
    "conv",
    "downsample",
    "linear",
    "map_norm",
    "upsample",
]

L = TypeVar("L", nn.Linear, nn.Conv2d, nn.ConvTranspose2d)

_MAKERS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "elu": nn.ELU,
    "leaky-relu": lambda: nn.LeakyReLU(0.2),  # the slope of DCGAN (Radford et al. 2015)
}
ACTIVATIONS = tuple(_MAKERS)

GAINS = {
    "relu": math.sqrt(2.0),
    "silu": 1.6765,
    "gelu": 1.5335,
    "tanh": 1.5925,
    "elu": 1.2452,
    "leaky-relu": math.sqrt(2.0 / (1.0 + 0.2**2)),
}
"""1/sqrt(E[f(h)²]) under h ~ N(0, 1)."""

OUTPUT = 0.1
"""What the gain of a network's last layer is multiplied by."""

# Rows: the 4 taps of a transposed convolution; columns: the 3 taps of a convolution after nearest upsampling.
_NEAREST = ((0.0, 0.0, 1.0), (0.0, 1.0, 1.0), (1.0, 1.0, 0.0), (1.0, 0.0, 0.0))


def activation(name: str) -> nn.Module:
    return _MAKERS[name]()


def chain(*modules: nn.Module | None) -> nn.Module:
    """The modules one after another, without those that are None; a single one stays bare, for speed."""
    present = [module for module in modules if module is not None]
    return present[0] if len(present) == 1 else nn.Sequential(*present)


def linear(inputs: int, outputs: int, gain: float = 1.0, bias: bool = True) -> nn.Linear:
    """[B, inputs] → [B, outputs]."""
    return _start(nn.Linear(inputs, outputs, bias=bias), gain / math.sqrt(inputs))


def conv(inputs: int, outputs: int, kernel: int, gain: float = 1.0, bias: bool = True) -> nn.Conv2d:
    """[B, inputs, h, w] → [B, outputs, h, w]; `kernel` is odd."""
    layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=bias)
    return _start(layer, gain / math.sqrt(inputs * kernel**2))


def downsample(inputs: int, outputs: int, gain: float = 1.0, bias: bool = True) -> nn.Conv2d:
    """[B, inputs, h, w] → [B, outputs, h/2, w/2].

    Kernel 4 and stride 2: every pixel is read equally often, so the gradient has no checkerboard either.
    """
    return _start(nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=bias), gain / math.sqrt(inputs * 16))


def upsample(inputs: int, outputs: int, gain: float = 1.0, bias: bool = True) -> nn.ConvTranspose2d:
    """[B, inputs, h, w] → [B, outputs, 2h, 2w], without a checkerboard.

    Nearest upsampling and a 3×3 convolution make no checkerboard (Odena et al. 2016, doi:10.23915/distill.00003) but
    cost 9 multiplications per output value and channel pair. A transposed convolution with kernel 4 and stride 2 costs
    4, covers every output equally often, and can represent the former exactly. So this one *starts* as the former
    (after Aitken et al. 2017, arXiv:1707.02937): on this project's CPU a training step takes half the time or less.
    """
    layer = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=bias)
    _start(layer, 0.0)
    with torch.no_grad():
        taps = torch.randn(inputs, outputs, 3, 3, device=layer.weight.device) * (gain / math.sqrt(inputs * 9))
        mix = torch.tensor(_NEAREST, device=layer.weight.device)  # [4, 3]
        layer.weight.copy_(mix @ taps @ mix.T)  # [inputs, outputs, 4, 4]
    return layer


def map_norm(name: str, channels: int) -> nn.Module | None:
    """The norm of a feature map [B, C, h, w]; `layer` takes channels and positions together.

    Groups (Wu & He 2018, arXiv:1803.08494) hold at least 4 channels each, and there are at most 32.
    """
    match name:
        case "batch":
            return nn.BatchNorm2d(channels)
        case "group":
            return nn.GroupNorm(math.gcd(channels, min(32, max(1, channels // 4))), channels)
        case "layer":
            return nn.GroupNorm(1, channels)
    return None


def _start(layer: L, std: float) -> L:
    nn.init.normal_(layer.weight, std=std)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
