"""Pictures of figures, drawn by Pillow: curves over logarithmic axes, grids of images with words at their sides, maps.

Images are uint8 tensors, [3, H, W] where they are done.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

__all__ = ["COLOURS", "Curves", "beside", "enlarged", "heat", "signed", "titled"]

Colour = tuple[int, int, int]
COLOURS: tuple[Colour, ...] = ((0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (60, 60, 60))
"""Told apart by the colour-blind too (Wong 2011, Points of view: Color blindness)."""
GREY, PALE = (110, 110, 110), (230, 230, 230)
SIZE = (460, 340)
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 30, 44
LETTER = 13  # the font that comes with Pillow has no accents
WIDE = 640  # pixels: pictures of small images are enlarged until they are about as wide


class Curves:
    """A chart: curves over a logarithmic x; y linear, or logarithmic too."""

    def __init__(self, title: str, x: Sequence[float], y: tuple[float, float], *, log: bool, falls: bool) -> None:
        """
        Args:
            x: where the axis has its numbers; it reaches from the first to the last.
            y: the least and the greatest value.
            falls: the curves fall, so that the legend has its place above.
        """
        self.x, self.log, self.falls, self.drawn = (x[0], x[-1]), log, falls, 0
        self.y = _with_room(*map(self._scale, y))
        self.image = Image.new("RGB", SIZE, (255, 255, 255))
        self.pen = ImageDraw.Draw(self.image)
        self.font = ImageFont.load_default(size=LETTER)
        self._text((LEFT, 15), title, (0, 0, 0), "lm")
        right, bottom = SIZE[0] - RIGHT, SIZE[1] - BOTTOM
        for value in _ticks(*self.y, log=log):
            at = self.place(x[0], value)[1]
            self.pen.line([(LEFT, at), (right, at)], fill=PALE)
            self._text((LEFT - 6, at), f"{value:g}", GREY, "rm")
        for value in x:
            at = self.place(value, y[0])[0]
            self.pen.line([(at, bottom), (at, bottom + 4)], fill=GREY)
            self._text((at, bottom + 13), f"{value:g}", GREY, "mm")
        self.pen.rectangle([LEFT, TOP, right, bottom], outline=GREY)

    def axis(self, name: str) -> None:
        """Names x."""
        self._text(((LEFT + SIZE[0] - RIGHT) / 2, SIZE[1] - 11), name, GREY, "mm")

    def curve(self, points: Sequence[tuple[float, float]], name: str) -> None:
        """A line with a dot at every point (x, y); its name stands in the legend, in its colour.

        Later curves are thinner, so that those below them show.
        """
        colour, places = COLOURS[self.drawn % len(COLOURS)], [self.place(*point) for point in points]
        self.pen.line(places, fill=colour, width=max(1, 5 - self.drawn))
        r = max(2.5, 6 - self.drawn)
        for a, b in places:
            self.pen.ellipse([a - r, b - r, a + r, b + r], fill=colour)
        at = TOP + 12 + 16 * self.drawn if self.falls else SIZE[1] - BOTTOM - 12 - 16 * self.drawn
        self._text((SIZE[0] - RIGHT - 8, at), name, colour, "rm")
        self.drawn += 1

    def place(self, x: float, y: float) -> tuple[float, float]:
        """The pixel of a point."""
        (first, last), (low, high) = self.x, self.y
        across = math.log(x / first) / math.log(last / first)
        up = (self._scale(y) - low) / (high - low)
        return (
            LEFT + across * (SIZE[0] - LEFT - RIGHT),
            SIZE[1] - BOTTOM - up * (SIZE[1] - TOP - BOTTOM),
        )

    def picture(self) -> Tensor:
        """The chart [3, height, width]."""
        return _tensor(self.image)

    def _scale(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def _text(self, at: tuple[float, float], text: str, colour: Colour, anchor: str) -> None:
        self.pen.text(at, text, fill=colour, font=self.font, anchor=anchor)


def _with_room(low: float, high: float) -> tuple[float, float]:
    room = 0.06 * (high - low) or 0.1
    return low - room, high + room


def _ticks(low: float, high: float, *, log: bool) -> list[float]:
    """Round numbers between the ends of an axis (of their logarithms to base ten)."""
    if log:
        powers = range(math.floor(low), math.ceil(high) + 1)
        found = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
        return [value for value in found if low <= math.log10(value) <= high]
    step = 10 ** math.floor(math.log10((high - low) / 4))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (factor * step) <= 7)
    return [round(number * step, 12) for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def heat(values: Tensor) -> Tensor:
    """A map [H, W] of values in [0, 1] → white to dark blue, [3, H, W]."""
    stops = torch.tensor([[255, 255, 255], [158, 202, 225], [33, 113, 181], [8, 29, 88]], dtype=torch.float64)
    return _between(stops, values)


def signed(values: Tensor) -> Tensor:
    """A map [H, W] of values in [-1, 1] → blue (too little), white, red (too much), [3, H, W]."""
    stops = torch.tensor([[33, 102, 172], [255, 255, 255], [178, 24, 43]], dtype=torch.float64)
    return _between(stops, (values + 1) / 2)


def _between(stops: Tensor, share: Tensor) -> Tensor:
    place = share.double().clamp(0, 1) * (len(stops) - 1)
    before = place.floor().long().clamp(max=len(stops) - 2)  # [H, W]
    colour = torch.lerp(stops[before], stops[before + 1], (place - before).unsqueeze(-1))  # [H, W, 3]
    return colour.round().to(torch.uint8).permute(2, 0, 1).contiguous()


def enlarged(image: Tensor, factor: int | None = None) -> Tensor:
    """A picture [C, H, W] with every pixel `factor` times as high and wide; of itself to about `WIDE` pixels."""
    factor = factor or max(1, round(WIDE / image.shape[2]))
    return image.repeat_interleave(factor, 1).repeat_interleave(factor, 2)


def beside(rows: Sequence[Sequence[Tensor]], gap: int = 8) -> Tensor:
    """Pictures of one size in rows, white between them, [3, H, W]."""
    parts = [[torch.nn.functional.pad(_coloured(one), (gap, 0, gap, 0), value=255) for one in row] for row in rows]
    whole = torch.cat([torch.cat(row, 2) for row in parts], 1)
    return torch.nn.functional.pad(whole, (0, gap, 0, gap), value=255)


def titled(image: Tensor, title: str = "", left: Mapping[int, str] | None = None) -> Tensor:
    """A picture [C, H, W] with words above it, and at its left, by the pixel row of their middle; [3, H', W']."""
    font = ImageFont.load_default(size=LETTER)
    indent = max((math.ceil(font.getlength(word)) + 10 for word in (left or {}).values()), default=0)
    top = 22 if title else 0
    body = torch.nn.functional.pad(_coloured(image), (indent, 0, top, 0), value=255)
    canvas = Image.fromarray(body.permute(1, 2, 0).contiguous().numpy())
    pen = ImageDraw.Draw(canvas)
    pen.text((indent, 11), title, fill=(0, 0, 0), font=font, anchor="lm")
    for row, word in (left or {}).items():
        pen.text((indent - 6, top + row), word, fill=(0, 0, 0), font=font, anchor="rm")
    return _tensor(canvas)


def _coloured(image: Tensor) -> Tensor:
    return image.expand(3, -1, -1)


def _tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).contiguous()
