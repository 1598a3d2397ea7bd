"""Small charts as images: lines, bands and bars over one pair of axes, with numbers at their ends. Drawn by Pillow."""

from __future__ import annotations

import math

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

__all__ = ["BLUE", "GREEN", "ORANGE", "Chart"]

BLUE, ORANGE, GREEN, GREY, BAND = (31, 119, 180), (214, 93, 14), (44, 130, 44), (110, 110, 110), (198, 219, 239)
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 24, 22


class Chart:
    """A chart of `width` by `height` pixels over x from `first` to `last` and y from `low` to `high`."""

    def __init__(
        self, title: str, x: tuple[float, float], y: tuple[float, float], width: int = 720, height: int = 300
    ) -> None:
        self.x, self.y, self.size = x, _roomy(*y), (width, height)
        self.image = Image.new("RGB", self.size, (255, 255, 255))
        self.draw = ImageDraw.Draw(self.image)
        self.draw.text((LEFT, 6), title, fill=(0, 0, 0))
        self.legend = width - RIGHT
        for value in _ticks(*self.y):
            at = self._at(x[0], value)[1]
            self.draw.line([(LEFT, at), (width - RIGHT, at)], fill=(232, 232, 232))
            text = f"{value:.6g}"
            self.draw.text((LEFT - 4 - self.draw.textlength(text), at - 6), text, fill=GREY)
        for value in _ticks(*x):
            at = self._at(value, self.y[0])[0]
            text = f"{value:.6g}"
            self.draw.text((at - self.draw.textlength(text) / 2, height - BOTTOM + 5), text, fill=GREY)
        self.draw.rectangle([LEFT, TOP, width - RIGHT, height - BOTTOM], outline=GREY)

    def line(self, x: Tensor, y: Tensor, colour: tuple[int, int, int], name: str = "", width: int = 1) -> None:
        """A line through the points x [N], y [N]; `name` stands in the legend."""
        points = [self._at(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
        self.draw.line(points, fill=colour, width=width, joint="curve")
        self._name(name, colour)

    def band(self, x: Tensor, low: Tensor, high: Tensor, name: str = "") -> None:
        """The area between two lines."""
        upper = [self._at(a, b) for a, b in zip(x.tolist(), high.tolist(), strict=True)]
        lower = [self._at(a, b) for a, b in zip(x.tolist(), low.tolist(), strict=True)]
        self.draw.polygon([*upper, *lower[::-1]], fill=BAND)
        self._name(name, BAND)

    def bars(self, x: Tensor, y: Tensor, colour: tuple[int, int, int]) -> None:
        """A thick line from 0 to every point."""
        for a, b in zip(x.tolist(), y.tolist(), strict=True):
            self.draw.line([self._at(a, 0.0), self._at(a, b)], fill=colour, width=4)

    def picture(self) -> Tensor:
        """The chart [3, height, width] of uint8."""
        return torch.from_numpy(np.asarray(self.image).copy()).permute(2, 0, 1).contiguous()

    def _name(self, name: str, colour: tuple[int, int, int]) -> None:
        if not name:
            return
        self.legend -= int(self.draw.textlength(name)) + 24
        self.draw.rectangle([self.legend, 9, self.legend + 10, 16], fill=colour)
        self.draw.text((self.legend + 14, 6), name, fill=(0, 0, 0))

    def _at(self, x: float, y: float) -> tuple[float, float]:
        """The pixel of a point."""
        (first, last), (low, high) = self.x, self.y
        right = (x - first) / max(last - first, 1e-12) * (self.size[0] - LEFT - RIGHT)
        up = min(max((y - low) / (high - low), -0.02), 1.02) * (self.size[1] - TOP - BOTTOM)
        return LEFT + right, self.size[1] - BOTTOM - up


def _roomy(low: float, high: float) -> tuple[float, float]:
    """The range with a twentieth of room at each end."""
    room = 0.05 * (high - low) or 1.0
    return low - room, high + room


def _ticks(low: float, high: float) -> list[float]:
    """Four to eight round numbers in a range."""
    step = 10 ** math.floor(math.log10((high - low) / 4 or 1.0))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (factor * step) <= 8)
    return [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
