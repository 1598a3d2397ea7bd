"""Data sets that checks of this plugin read: images or arrays, no two alike."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

__all__ = ["write_arrays", "write_idx", "write_images"]


def write_images(folder: Path, count: int, side: int = 10) -> None:
    """`count` grey PNG files, each with a pattern of its own."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    grid = np.arange(side)
    for number in range(count):
        pixels = (5 * number + grid[:, None] * (number % 7) + 11 * grid) % 256
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number:03d}.png")


def write_arrays(file: Path, count: int = 40) -> None:
    """`count` grey images of 4x4 pixels as "x", labels of three classes as "y"."""
    x = np.arange(count * 16).reshape(count, 1, 4, 4) * 3 % 251
    np.savez(file, x=x.astype(np.uint8), y=np.arange(count) % 3)


def write_idx(folder: Path, names: tuple[str, str], count: int, side: int, mark: int) -> None:
    """IDX files of images (their number in the first four pixels, `mark` in the fifth) and of labels 0 to 9."""
    folder.mkdir(parents=True, exist_ok=True)
    x = np.zeros((count, side * side), np.uint8)  # [N, H * W]
    x[:, :4] = np.arange(count, dtype=np.uint32)[:, None].view(np.uint8)
    x[:, 4] = mark
    header = struct.pack(">BBBBIII", 0, 0, 8, 3, count, side, side)
    (folder / names[0]).write_bytes(header + x.tobytes())
    labels = np.arange(count) % 10
    (folder / names[1]).write_bytes(struct.pack(">BBBBI", 0, 0, 8, 1, count) + labels.astype(np.uint8).tobytes())
