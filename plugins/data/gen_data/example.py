"""Tiny data sets that checks of this plugin read: a few images or arrays, no two alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np

__all__ = ["write_arrays", "write_images"]


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
