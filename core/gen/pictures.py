"""Pictures of samples: grids of images, clouds of points and curves of series, as 8-bit arrays and PNG files.

PNG is written here with the standard library, so that training needs no imaging package.
"""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path

import torch
from torch import Tensor

from gen.files import write_whole
from gen.types import Domain

__all__ = ["grid", "picture", "png", "save_picture", "to_bytes"]

_SIDE = 256  # pixels of a picture of points
_STRIP = 64  # rows of the strip of a series
_CURVES = 16  # a picture shows so many series
_AIM = 512  # small images are enlarged until a grid is about this wide


def to_bytes(x: Tensor, domain: Domain) -> Tensor:
    """Samples [n, *shape] in the domain's range → uint8 0 to 255."""
    low, high = domain.range
    return ((x.float() - low) * (255 / (high - low))).round().clamp(0, 255).to(torch.uint8).cpu()


def grid(x: Tensor, columns: int | None = None) -> Tensor:
    """Images [n, C, H, W] of uint8 → one image [C', H', W'] with C' 1 or 3, enlarged by whole factors."""
    n, channels, height, width = x.shape
    columns = columns or math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    if channels not in (1, 3):
        x, channels = x[:, :1], 1
    factor = max(1, min(8, _AIM // max(1, columns * (width + 1))))
    x = x.repeat_interleave(factor, 2).repeat_interleave(factor, 3)
    height, width, gap = height * factor, width * factor, max(1, factor // 2)
    canvas = torch.full((channels, rows * (height + gap) + gap, columns * (width + gap) + gap), 128, dtype=torch.uint8)
    for i in range(n):
        top, left = gap + (i // columns) * (height + gap), gap + (i % columns) * (width + gap)
        canvas[:, top : top + height, left : left + width] = x[i]
    return canvas


def picture(x: Tensor, domain: Domain, columns: int | None = None) -> Tensor | None:
    """One image [C, H, W] of uint8 that shows samples; None where there is nothing to see (vectors beyond two)."""
    if domain.modality == "image":
        return grid(to_bytes(x, domain), columns)
    if domain.modality == "series" and len(domain.shape) == 2:
        return _curves(x.float().cpu()[:_CURVES], domain)
    if domain.shape == (2,):
        return _cloud(x.float().cpu(), domain)
    return None


def _cloud(points: Tensor, domain: Domain) -> Tensor:
    """Points [n, 2] → how many fall into each pixel, dark on white, with a margin of a quarter."""
    low, high = domain.range
    margin = 0.25 * (high - low)
    cell = ((points - low + margin) / (high - low + 2 * margin) * _SIDE).floor().long()  # [n, 2]
    inside = ((cell >= 0) & (cell < _SIDE)).all(1)
    flat = (_SIDE - 1 - cell[inside, 1]) * _SIDE + cell[inside, 0]
    counts = torch.bincount(flat, minlength=_SIDE * _SIDE).float().view(1, _SIDE, _SIDE)
    shade = 1 - torch.exp(-counts / counts[counts > 0].mean()) if (counts > 0).any() else counts
    return (255 * (1 - shade)).to(torch.uint8)


def _curves(x: Tensor, domain: Domain) -> Tensor:
    """Series [n, C, T] → one strip under the other, [1, n HEIGHT, W], each through the range of the data; grey lines
    part the strips. Channels share a strip; of long series every column shows from the least to the greatest value.
    """
    low, high = domain.range
    n, _, length = x.shape
    factor = max(1, _AIM // max(1, length - 1))
    fine = torch.nn.functional.interpolate(x, (length - 1) * factor + 1, mode="linear", align_corners=True)
    row = ((high - fine) / max(high - low, 1e-12) * (_STRIP - 3) + 1).clamp(0, _STRIP - 2)  # [n, C, W']
    row = row.nan_to_num(0)
    ends = torch.stack([row[..., :-1], row[..., 1:]])  # a pixel column reaches from one value to the next
    top, bottom = ends.amin(0).round(), ends.amax(0).round()  # [n, C, W]
    group = max(1, top.shape[-1] // (2 * _AIM))
    if group > 1:
        whole = top.shape[-1] // group * group
        top = top[..., :whole].unflatten(-1, (-1, group)).amin(-1)
        bottom = bottom[..., :whole].unflatten(-1, (-1, group)).amax(-1)
    at = torch.arange(_STRIP).view(1, 1, -1, 1)
    inked = ((at >= top.unsqueeze(2)) & (at <= bottom.unsqueeze(2))).any(1)  # [n, HEIGHT, W]
    strips = torch.where(inked, 30, 255).to(torch.uint8)
    strips[:, -1] = 200
    return strips.reshape(1, n * _STRIP, -1)


def png(image: Tensor) -> bytes:
    """An image [C, H, W] of uint8 with 1 or 3 channels as a PNG file."""
    channels, height, width = image.shape
    assert image.dtype == torch.uint8, "PNG takes 8-bit values"
    assert channels in (1, 3), "PNG takes grey or RGB"
    rows = torch.zeros(height, 1 + width * channels, dtype=torch.uint8)
    rows[:, 1:] = image.permute(1, 2, 0).reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if channels == 1 else 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.numpy().tobytes(), 6)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data)) for tag, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def save_picture(path: Path, x: Tensor, domain: Domain, columns: int | None = None) -> Path | None:
    """Writes the picture of samples as PNG; None where there is no picture to make."""
    image = picture(x, domain, columns)
    if image is None:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, png(image))
    return path
