"""The U-Net generator of pix2pix (Ronneberger et al. 2015, arXiv:1505.04597; Isola et al. 2017, arXiv:1611.07004).

Halvings down to a map of a few positions and doublings back, where every level is handed what the encoder had there:
what source and target share (edges, places) need not pass the bottleneck. Shapes: B batch, C channels, H W sides.
"""

from __future__ import annotations

from torch import Tensor, cat, nn

from gen.component import component, option
from gen.errors import ShapeError
from gen.interfaces import Generator
from gen_translation.layers import NORMS, conv, norm, up
from gen_translation.shapes import check_images

__all__ = ["UNetGenerator"]

_DEEPEST = 8
_DROPPED = 3  # the innermost levels with dropout


@component
class UNetGenerator(Generator):
    """Image to image of the same sides, with a skip at every level; tanh, so values in [-1, 1].

    By default it halves as often as the sides can be, at most 8 times (256 to 1). Dropout, the paper's source of
    noise, is on while training alone: translations are a function of the source.
    """

    width: int = option(64, min=1, max=4096, doc="channels of the first level; they double, to 8 times that")
    depth: int | None = option(None, min=1, max=_DEEPEST, doc="halvings of the sides (as many as they allow)")
    norm: str = option("instance", choices=NORMS, doc="of every level but the first and a single position")
    dropout: float = option(0.5, min=0, below=1, doc="in the three innermost levels on the way up, while training")

    def build(self) -> None:
        if self.cond is not None:
            raise ShapeError("unet-generator is told no condition: wire it without, or choose another network")
        check_images("unet-generator", self.in_shape, self.out_shape)
        depth = self._fitted()
        widths = [self.width * min(2**level, 8) for level in range(depth)]
        sides = [min(self.in_shape[1:]) >> level for level in range(depth + 1)]
        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        for level in range(depth):
            inputs = widths[level - 1] if level else self.in_shape[0]
            self.downs.append(self._down(inputs, widths[level], sides[level + 1], first=level == 0))
        for level in reversed(range(1, depth)):
            inputs = widths[level] * (1 if level == depth - 1 else 2)
            dropped = self.dropout if depth - 1 - level < _DROPPED else 0.0
            self.ups.append(self._up(inputs, widths[level - 1], sides[level], dropped))
        self.last = nn.Sequential(nn.ReLU(), up(widths[0] * (1 if depth == 1 else 2), self.out_shape[0]), nn.Tanh())

    def _down(self, inputs: int, outputs: int, side: int, *, first: bool) -> nn.Module:
        if first:
            return conv(inputs, outputs, 4, 2, 1)
        return nn.Sequential(nn.LeakyReLU(0.2), conv(inputs, outputs, 4, 2, 1), norm(self.norm, outputs, side))

    def _up(self, inputs: int, outputs: int, side: int, dropped: float) -> nn.Module:
        layers = [nn.ReLU(), up(inputs, outputs), norm(self.norm, outputs, side)]
        return nn.Sequential(*layers, *([nn.Dropout(dropped)] if dropped else []))

    def _fitted(self) -> int:
        height, width = self.in_shape[1:]
        most = min((side & -side).bit_length() - 1 for side in (height, width))  # how often both can be halved
        if most < 1 or (self.depth or 1) > most:
            fits = f"depth {most} fits, or " if most else ""
            raise ShapeError(
                f"unet-generator with depth {self.depth or 1} takes sides divisible by {2 ** (self.depth or 1)}, "
                f"got {height}x{width}: {fits}resize the data"
            )
        return self.depth or min(most, _DEEPEST)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        skips = []
        for down in self.downs:
            z = down(z)
            skips.append(z)
        h = skips.pop()
        for rise in self.ups:
            h = cat([rise(h), skips.pop()], 1)  # [B, 2C, h, w]
        made: Tensor = self.last(h)
        return made
