"""What the networks here are made of: norms, reflection, and the initialisation of the papers.

Weights start from N(0, 0.02²), biases at 0 (Radford et al. 2015, arXiv:1511.06434; Zhu et al. 2017, arXiv:1703.10593).
"""

from __future__ import annotations

from torch import nn

__all__ = ["NORMS", "conv", "norm", "up"]

NORMS = ("instance", "batch", "none")
_STD = 0.02


def norm(name: str, channels: int, side: int = 2) -> nn.Module:
    """The norm of a map [B, C, h, w]; none where a sample is a single position, which has no statistics of its own."""
    if name == "none" or side == 1:
        return nn.Identity()
    return (nn.InstanceNorm2d if name == "instance" else nn.BatchNorm2d)(channels)


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0, bias: bool = True) -> nn.Module:
    """[B, inputs, h, w] → [B, outputs, h', w']; zeros around it where there is padding."""
    return _start(nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=bias))


def up(inputs: int, outputs: int, bias: bool = True) -> nn.Module:
    """[B, inputs, h, w] → [B, outputs, 2h, 2w]; kernel 4 and stride 2 reach every output equally often."""
    return _start(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=bias))


def _start(layer: nn.Conv2d | nn.ConvTranspose2d) -> nn.Module:
    nn.init.normal_(layer.weight, std=_STD)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
