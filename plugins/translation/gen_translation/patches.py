"""The PatchGAN discriminator: one logit per patch, 70x70 pixels wide by default (Isola et al. 2017, arXiv:1611.07004).

`depth` convolutions of stride 2, one of stride 1, one of stride 1 to the logits, all 4x4. A logit sees a field of
1 + 3 (2^depth + 1 + ... ) pixels: 16, 34, 70, 142 for depth 1, 2, 3, 4.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from gen.component import component, option
from gen.errors import ShapeError
from gen.interfaces import Discriminator
from gen_translation.layers import NORMS, conv, norm

__all__ = ["PatchDiscriminator"]

_LEAST = 4  # the least side after the halvings: two 4x4 convolutions of stride 1 take two pixels off
_PAPER = 3


@component
class PatchDiscriminator(Discriminator):
    """Says of every patch of an image [B, C, H, W] whether it is real: logits [B, 1, h, w].

    By default a patch is 70x70 (depth 3); for sides below 32 as large as leaves a map to judge.
    """

    example: ClassVar[dict[str, object]] = {"width": 8}
    width: int = option(64, min=1, max=4096, doc="channels after the first convolution; they double, to 8 times that")
    depth: int | None = option(None, min=1, max=8, doc="halvings: fields of 16, 34, 70, 142 for 1, 2, 3, 4 (up to 3)")
    norm: str = option("instance", choices=NORMS, doc="after every convolution but the first and the last")

    def build(self) -> None:
        if self.cond is not None:
            raise ShapeError("patch-discriminator is told no condition: wire it without, or choose another network")
        depth = self._fitted()
        bias = self.norm == "none"
        widths = [self.width * min(2**level, 8) for level in range(depth + 1)]
        layers: list[nn.Module] = [conv(self.in_shape[0], widths[0], 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        for level in range(1, depth + 1):
            stride = 2 if level < depth else 1
            layers += [conv(widths[level - 1], widths[level], 4, stride, 1, bias=bias)]
            layers += [norm(self.norm, widths[level]), nn.LeakyReLU(0.2, inplace=True)]
        self.layers = nn.Sequential(*layers, conv(widths[-1], 1, 4, 1, 1))

    def _fitted(self) -> int:
        if len(self.in_shape) != 3:
            raise ShapeError(f"patch-discriminator judges images (C, H, W), got the shape {self.in_shape}")
        least = min(self.in_shape[1:])
        most = (least // _LEAST).bit_length() - 1  # halvings that leave at least _LEAST
        if most < 1:
            raise ShapeError(f"patch-discriminator takes sides from {2 * _LEAST} on, got {least}: resize the data")
        depth = min(most, _PAPER) if self.depth is None else self.depth
        if depth > most:
            raise ShapeError(f"patch-discriminator with depth {depth} leaves no map of side {least}: depth {most} fits")
        return depth

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        logits: Tensor = self.layers(x)
        return logits
