"""The residual generator of CycleGAN (Johnson et al. 2016, arXiv:1603.08155; Zhu et al. 2017, arXiv:1703.10593).

A 7x7 convolution, `depth` halvings that double the channels, `blocks` residual blocks there, as many doublings, a 7x7
convolution, tanh. Borders are reflected, so that no dark frame is invented. Shapes: B batch, C channels, H W sides.
"""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn

from gen.component import component, option
from gen.errors import ShapeError
from gen.interfaces import Generator
from gen_translation.layers import NORMS, conv, norm, up
from gen_translation.shapes import check_images

__all__ = ["ResNetGenerator"]


class ResidualBlock(nn.Module):
    """h + norm(conv(relu(norm(conv(h))))), borders reflected."""

    def __init__(self, channels: int, kind: str) -> None:
        super().__init__()
        bias = kind == "none"
        self.residual = nn.Sequential(
            nn.ReflectionPad2d(1),
            conv(channels, channels, 3, bias=bias),
            norm(kind, channels),
            nn.ReLU(inplace=True),
            nn.ReflectionPad2d(1),
            conv(channels, channels, 3, bias=bias),
            norm(kind, channels),
        )

    def forward(self, h: Tensor) -> Tensor:
        moved: Tensor = self.residual(h)
        return moved + h


@component
class ResNetGenerator(Generator):
    """Image to image of the same sides through residual blocks at a quarter of them; tanh, so values in [-1, 1].

    6 blocks for sides up to 128 and 9 above, in the paper; its width is 64. The sides must be divisible by 2**depth
    and be at least 2 there.
    """

    example: ClassVar[dict[str, object]] = {"width": 8, "blocks": 1}
    width: int = option(64, min=1, max=4096, doc="channels at full size; they double at every halving")
    blocks: int = option(6, min=1, max=64, doc="residual blocks at the smallest size (6 or 9 in the paper)")
    depth: int = option(2, min=0, max=6, doc="halvings of the sides")
    norm: str = option("instance", choices=NORMS, doc="after every convolution but the last")

    def build(self) -> None:
        if self.cond is not None:
            raise ShapeError("resnet-generator is told no condition: wire it without, or choose another network")
        check_images("resnet-generator", self.in_shape, self.out_shape)
        self._check_sides()
        bias = self.norm == "none"
        widths = [self.width * 2**level for level in range(self.depth + 1)]
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), conv(self.in_shape[0], widths[0], 7, bias=bias)]
        layers += [norm(self.norm, widths[0]), nn.ReLU(inplace=True)]
        for inputs, outputs in pairwise(widths):
            layers += [conv(inputs, outputs, 4, 2, 1, bias=bias), norm(self.norm, outputs), nn.ReLU(inplace=True)]
        layers += [ResidualBlock(widths[-1], self.norm) for _ in range(self.blocks)]
        for inputs, outputs in pairwise(widths[::-1]):
            layers += [up(inputs, outputs, bias=bias), norm(self.norm, outputs), nn.ReLU(inplace=True)]
        layers += [nn.ReflectionPad2d(3), conv(widths[0], self.out_shape[0], 7), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def _check_sides(self) -> None:
        factor = 2**self.depth
        for side in self.in_shape[1:]:
            if side % factor or side < max(4, 2 * factor):
                raise ShapeError(
                    f"resnet-generator with depth {self.depth} takes sides from {max(4, 2 * factor)} on that are "
                    f"divisible by {factor}, got {self.in_shape[1]}x{self.in_shape[2]}: lower depth, or resize the data"
                )

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        made: Tensor = self.layers(z)
        return made
