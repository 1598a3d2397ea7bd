"""Networks between images and codes (or a logit): `depth` levels that halve or double the sides, and what fits them.

A code is a vector (D,), reached through a linear layer, or a map (C, H/2**depth, W/2**depth), through a convolution.
"""

from __future__ import annotations

from torch import nn

from gen.component import interface, option
from gen.errors import ShapeError
from gen.types import Shape
from gen_nets.layers import chain, conv, linear
from gen_nets.staged import Staged

__all__ = ["Pyramid", "from_code", "to_code"]

Side = tuple[int, int]


@interface
class Pyramid(Staged):
    """The options that all convolutional encoders and decoders share, and the checks of their shapes."""

    width: int = option(32, min=1, max=65_536, doc="channels at the level next to the image; every level doubles them")
    depth: int = option(2, min=1, max=16, doc="levels; each halves the sides, which must be divisible by 2**depth")
    max_width: int = option(512, min=1, max=65_536, doc="the most channels a level may have")

    def widths(self) -> list[int]:
        """Channels per level, from the level next to the image to the one next to the code."""
        return [min(self.width * 2**level, self.max_width) for level in range(self.depth)]

    def fit(self, image: Shape, code: Shape) -> Side:
        """The sides next to the code.

        Raises:
            ShapeError: `image` is none, or its sides are not divisible; `code` is neither a vector nor a map that fits.
        """
        encodes = self.kind != "decoder"
        if len(image) != 3:
            verb = "reads" if encodes else "makes"
            remedy = f"mlp-{self.kind} {verb} any shape"
            raise ShapeError(f"{self.title} {verb} images (C, H, W), got the shape {image}: {remedy}")
        high, factor = (image[1], image[2]), 2**self.depth
        if high[0] % factor or high[1] % factor:
            verb, times = "halves" if encodes else "doubles", "once" if self.depth == 1 else f"{self.depth} times"
            raise ShapeError(
                f"{self.title} with depth {self.depth} {verb} the side {times}, so the sides must be divisible by "
                f"{factor}; got {_by(high)}: {_remedy(high, factor)}"
            )
        low = (high[0] // factor, high[1] // factor)
        if not (len(code) == 1 or (len(code) == 3 and code[1:] == low)):
            path = f"{_by(high)} into {_by(low)}" if encodes else f"{_by(low)} into {_by(high)}"
            verb, depth = "puts out" if encodes else "takes", _depth_between(high, code)
            raise ShapeError(
                f"{self.title} with depth {self.depth} turns {path}, so it {verb} a vector (D,) or a map "
                f"(C, {low[0]}, {low[1]}); got {code}{f': depth {depth} fits' if depth else ''}"
            )
        return low


def to_code(channels: int, side: Side, code: Shape, gain: float) -> nn.Module:
    """The head of an encoder: [B, channels, *side] → [B, *code], a linear map of everything or of each position."""
    if len(code) == 3:
        return conv(channels, code[0], 1, gain)
    return chain(nn.Flatten(), linear(channels * side[0] * side[1], code[0], gain))


def from_code(code: Shape, channels: int, side: Side, bias: bool = True) -> nn.Module:
    """The first layer of a decoder: [B, *code] → [B, channels, *side]."""
    if len(code) == 3:
        return conv(code[0], channels, 3, bias=bias)
    return chain(linear(code[0], channels * side[0] * side[1], bias=bias), nn.Unflatten(1, (channels, *side)))


def _by(side: Side) -> str:
    return f"{side[0]}x{side[1]}"


def _remedy(side: Side, factor: int) -> str:
    fits = min((length & -length).bit_length() - 1 for length in side)  # how often both sides can be halved
    height, width = (-(-length // factor) * factor for length in side)
    pad = f"pad to {height if height == width else _by((height, width))}"
    return f"depth {fits} fits, or {pad}" if fits else pad


def _depth_between(image: Side, code: Shape) -> int | None:
    """The depth that leads from the image's sides to the code's."""
    if len(code) != 3:
        return None
    return next((d for d in range(1, 17) if (code[1] << d, code[2] << d) == image), None)
