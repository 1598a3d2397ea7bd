"""DCGAN: one strided convolution per level (Radford, Metz and Chintala 2015, arXiv:1511.06434)."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn

from gen.component import component, interface, option
from gen_gan.networks.ladder import ImageDiscriminator, ImageGenerator, Ladder, ladder
from gen_gan.networks.layers import GAIN, SLOPE, ConditionalNorm, conv, linear, upconv

__all__ = ["DCGANDiscriminator", "DCGANGenerator"]


@interface
class _DCGAN(Ladder):
    """The options that generator and discriminator share."""

    family: ClassVar[str] = "dcgan"
    hidden: int = option(
        0, min=0, max=65_536, doc="units of a dense layer between the vector and the base; 0: none, as in the paper"
    )


@component
class DCGANGenerator(_DCGAN, ImageGenerator):
    """Transposed convolutions with batch norms and rectifiers, from a small base; tanh at the end.

    For sides that are such a base, doubled (8, 28, 32, 64, 96, 128 …), and any number of channels.
    """

    traits: ClassVar[dict[str, object]] = {"coupled": True, "sizes": ((1, 8, 8), (3, 32, 32))}
    example: ClassVar[dict[str, object]] = {"width": 8, "max_width": 16}
    condition: str = option("norm", choices=("norm", "input"), doc="labels act on every norm, or join z")

    def build(self) -> None:
        base, levels = ladder(self.title, self.out_shape, self.least)
        widths = self.widths(levels)[::-1]
        joins = self.condition == "input"
        code = self.begin(widths[0] * base[0] * base[1], joins=joins, hidden=self.hidden, norm=True)
        self.unflatten = nn.Unflatten(1, (widths[0], *base))
        self.norms = nn.ModuleList(ConditionalNorm(width, code) for width in widths)
        self.layers = nn.ModuleList(upconv(a, b, bias=False) for a, b in pairwise(widths))
        self.last = upconv(widths[-1], self.out_shape[0])

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        h, code = self.enter(z, cond)
        h = self.norms[0](self.unflatten(h), code).relu()  # [B, widths[0], *base]
        for layer, norm in zip(self.layers, list(self.norms)[1:], strict=True):
            h = norm(layer(h), code).relu()
        out: Tensor = self.last(h).tanh()
        return out


@component
class DCGANDiscriminator(_DCGAN, ImageDiscriminator):
    """Strided convolutions with leaky rectifiers down to a small base, then one linear layer.

    Where few levels lead to the base, as from 28 to 7, that layer adds up scores of small patches, and nothing judges
    the whole: `hidden` makes it two layers, as InfoGAN does on MNIST (Chen et al. 2016, arXiv:1606.03657).

    The paper's batch norm (on all levels but the first) makes the samples of a batch influence each other: leave it
    out with gradient penalties. Spectral norm bounds the slope of the whole network (Miyato et al. 2018).
    """

    example: ClassVar[dict[str, object]] = {"width": 8, "max_width": 16}
    norm: str = option("none", choices=("none", "batch", "layer"), doc="on all levels but the first")
    spectral: bool = option(False, doc="divide every weight by its largest singular value")
    dropout: float = option(0.0, min=0, below=1, doc="share of the last features set to 0 in training")

    def build(self) -> None:
        base, levels = ladder(self.title, self.in_shape, self.least)
        widths = self.widths(levels)
        flat = widths[-1] * base[0] * base[1]
        channels = self.begin(self.hidden or flat, spectral=self.spectral)
        layers: list[nn.Module] = []
        for level, (inputs, outputs) in enumerate(pairwise([channels, *widths])):
            norm = _norm(self.norm, outputs) if level else None
            layers.append(conv(inputs, outputs, 4, stride=2, bias=norm is None, spectral=self.spectral))
            layers += [norm] if norm is not None else []
            layers.append(nn.LeakyReLU(SLOPE, inplace=True))
        layers.append(nn.Flatten())
        if self.hidden:
            dense = linear(flat, self.hidden, gain=GAIN, spectral=self.spectral)
            layers += [dense, nn.LeakyReLU(SLOPE, inplace=True)]
        self.body = nn.Sequential(*layers, nn.Dropout(self.dropout))

    def features(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        h: Tensor = self.body(self.enter(x, cond))
        return h


def _norm(name: str, channels: int) -> nn.Module | None:
    match name:
        case "batch":
            return nn.BatchNorm2d(channels)
        case "layer":
            return nn.GroupNorm(1, channels)
    return None
