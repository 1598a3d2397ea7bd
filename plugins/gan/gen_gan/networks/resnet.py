"""The residual networks of SNGAN (Miyato et al. 2018, arXiv:1802.05957, table 4)."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from gen.component import component, option
from gen_gan.networks.ladder import ImageDiscriminator, ImageGenerator, ladder
from gen_gan.networks.layers import ConditionalNorm, conv

__all__ = ["ResNetDiscriminator", "ResNetGenerator"]


class Up(nn.Module):
    """norm, relu, double the sides, conv, norm, relu, conv, plus a 1×1 shortcut: [B, C, h, w] → [B, C', 2h, 2w]."""

    def __init__(self, inputs: int, outputs: int, code: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = ConditionalNorm(inputs, code), ConditionalNorm(outputs, code)
        self.conv1, self.conv2 = conv(inputs, outputs, 3, bias=False), conv(outputs, outputs, 3)
        self.short = conv(inputs, outputs, 1, gain=1.0)

    def forward(self, h: Tensor, code: Tensor | None) -> Tensor:
        inner = self.conv1(_double(self.norm1(h, code).relu()))
        inner = self.conv2(self.norm2(inner, code).relu())
        out: Tensor = inner + _double(self.short(h))  # a 1×1 convolution commutes with nearest upsampling
        return out


class Down(nn.Module):
    """relu, conv, relu, conv, halve the sides, plus a shortcut; the `first` block reads data and has no relu before."""

    def __init__(self, inputs: int, outputs: int, *, spectral: bool, first: bool = False, halve: bool = True) -> None:
        super().__init__()
        self.first, self.halve = first, halve
        self.conv1, self.conv2 = (conv(a, outputs, 3, spectral=spectral) for a in (inputs, outputs))
        same = inputs == outputs and not halve
        self.short = None if same else conv(inputs, outputs, 1, gain=1.0, spectral=spectral)

    def forward(self, h: Tensor) -> Tensor:
        inner = self.conv2(self.conv1(h if self.first else h.relu()).relu())
        if not self.halve:
            out: Tensor = inner + (h if self.short is None else self.short(h))
            return out
        assert self.short is not None, "a block that halves has a shortcut"
        out = F.avg_pool2d(inner, 2) + self.short(F.avg_pool2d(h, 2))  # commutes, and costs a quarter
        return out


@component
class ResNetGenerator(ImageGenerator):
    """Residual blocks with batch norms that double the sides, from a small base; tanh at the end.

    Conditional norms make it the generator of Miyato and Koyama 2018. Any number of channels.
    """

    family: ClassVar[str] = "resnet"
    traits: ClassVar[dict[str, object]] = {"coupled": True, "sizes": ((1, 8, 8), (3, 32, 32))}
    example: ClassVar[dict[str, object]] = {"width": 8, "max_width": 16}
    condition: str = option("norm", choices=("norm", "input"), doc="labels act on every norm, or join z")

    def build(self) -> None:
        base, levels = ladder(self.title, self.out_shape, self.least)
        widths = self.widths(levels)[::-1]
        code = self.begin(widths[0] * base[0] * base[1], joins=self.condition == "input")
        self.unflatten = nn.Unflatten(1, (widths[0], *base))
        self.blocks = nn.ModuleList(Up(a, b, code) for a, b in pairwise([widths[0], *widths]))
        self.norm = ConditionalNorm(widths[-1], 0)
        self.last = conv(widths[-1], self.out_shape[0], 3, gain=1.0)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        h, code = self.enter(z, cond)
        h = self.unflatten(h)  # [B, widths[0], *base]
        for block in self.blocks:
            h = block(h, code)
        out: Tensor = self.last(self.norm(h).relu()).tanh()
        return out


@component
class ResNetDiscriminator(ImageDiscriminator):
    """Residual blocks that halve the sides to a small base, more at that side, then a sum over positions.

    With spectral norm on every layer, unless told otherwise; there is no other norm.
    """

    family: ClassVar[str] = "resnet"
    example: ClassVar[dict[str, object]] = {"width": 8, "max_width": 16}
    spectral: bool = option(True, doc="divide every weight by its largest singular value")
    blocks: int = option(1, min=0, max=64, doc="residual blocks at the side of the base")

    def build(self) -> None:
        _, levels = ladder(self.title, self.in_shape, self.least)
        widths = self.widths(levels)
        sizes = [self.begin(widths[-1], spectral=self.spectral), *widths]
        downs = [Down(a, b, spectral=self.spectral, first=not level) for level, (a, b) in enumerate(pairwise(sizes))]
        last = widths[-1]
        more = [Down(last, last, spectral=self.spectral, halve=False) for _ in range(self.blocks)]
        self.body = nn.Sequential(*downs, *more, nn.ReLU())

    def features(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        h: Tensor = self.body(self.enter(x, cond))
        return h.sum((2, 3))


def _double(h: Tensor) -> Tensor:
    return F.interpolate(h, scale_factor=2.0, mode="nearest")
