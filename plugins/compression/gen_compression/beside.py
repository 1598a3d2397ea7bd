"""What the usual formats make of the same images: PNG and lossless WebP, one file each and all on one sheet.

Shapes: n images, C channels, H W sides.
"""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image
from torch import Tensor

__all__ = ["sizes"]

_WIDEST = 16_383  # pixels of a side that WebP takes
_OPTIONS = {"PNG": {"optimize": True}, "WebP": {"lossless": True, "quality": 100, "method": 6}}


def sizes(x: Tensor, levels: int | None) -> dict[str, int]:
    """Bytes of images [n, C, H, W] (uint8, C 1 or 3) by format; black and white ones are PNGs of one bit."""
    one_bit = levels == 2
    pages = {"one file each": list(x), "one sheet": [_sheet(x)]}
    found = {}
    for how, images in pages.items():
        for format in _OPTIONS:
            if format == "PNG" or max(images[0].shape[1:]) <= _WIDEST:
                found[f"{format}, {how}"] = sum(_size(image, format, one_bit) for image in images)
    return found


def _sheet(x: Tensor) -> Tensor:
    """All images side by side in rows, [C, H', W']; the last row is filled up with zeros."""
    columns = math.ceil(math.sqrt(len(x)))
    rows = math.ceil(len(x) / columns)
    full = x.new_zeros(rows * columns, *x.shape[1:])
    full[: len(x)] = x
    grid = full.unflatten(0, (rows, columns))  # [rows, columns, C, H, W]
    return grid.permute(2, 0, 3, 1, 4).flatten(3, 4).flatten(1, 2)


def _size(image: Tensor, format: str, one_bit: bool) -> int:
    pixels = image.permute(1, 2, 0).numpy()  # [H, W, C]
    picture = Image.fromarray(np.ascontiguousarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels))
    if format == "PNG" and one_bit and pixels.shape[2] == 1:
        picture = picture.point(lambda value: 255 if value > 127 else 0, mode="1")
    buffer = io.BytesIO()
    picture.save(buffer, format, **_OPTIONS[format])
    return buffer.tell()
