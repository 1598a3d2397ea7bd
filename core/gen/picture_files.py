"""Pictures of a person's own, pixel for pixel: they are neither scaled nor cropped, so that what was said stays said.

Shapes: C channels, H W sides.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gen.data import to_range
from gen.errors import CommandError, DataError
from gen.types import Domain, Shape

__all__ = ["read_picture", "read_pictures"]

_FORMATS = ("PNG", "JPEG", "WEBP")
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_MOST = 64_000_000  # pixels


def read_picture(path: Path) -> Tensor:
    """One picture as uint8 [C, H, W], C 1 (no colour in it) or 3; transparent pixels count as white.

    Raises:
        DataError: naming the file and what is wrong with it.
    """
    if not path.is_file():
        raise DataError(f"{path} is no file" if path.exists() else f"{path} does not exist")
    try:
        with warnings.catch_warnings(), Image.open(path, formats=_FORMATS) as image:
            warnings.simplefilter("ignore")
            if image.width * image.height > _MOST:
                raise DataError(f"{path} has more than {_MOST // 1_000_000} megapixels")
            pixels = np.asarray(_flat(image))  # [H, W, 3]
    except DataError:
        raise
    except Exception as error:  # a decoder fed with foreign bytes may fail in any way
        raise DataError(f"{path} is no PNG, JPEG or WebP image that can be read") from error
    x = torch.from_numpy(pixels.copy()).permute(2, 0, 1)
    return x[:1].clone() if bool((x == x[:1]).all()) else x.contiguous()


def read_pictures(path: Path, shapes: Sequence[Shape], domain: Domain) -> Tensor:
    """A picture, or those of a folder by name, as samples [n, C, H, W] in the domain's range.

    Args:
        shapes: what a sample may be, [C, H, W]; all pictures are of one of them. Grey serves as colour.

    Raises:
        CommandError: there is nothing to read, or a picture has another size or colour.
        DataError: a file is no picture.
    """
    files = [path] if not path.is_dir() else sorted(each for each in path.iterdir() if each.suffix.lower() in _SUFFIXES)
    if not files:
        raise CommandError(f"{path} holds no PNG, JPEG or WebP files")
    if domain.modality != "image":
        raise CommandError(f"--input names pictures, and the data of this run are none: their shape is {domain.shape}")
    found: list[Tensor] = []
    for file in files:
        x, allowed = read_picture(file), [tuple(each.shape) for each in found[:1]] or list(shapes)
        if len(x) > allowed[0][0]:
            raise CommandError(f"{file} is in colour, and this model knows grey pictures only: convert it first")
        if tuple(x.shape[1:]) not in [shape[1:] for shape in allowed]:
            sizes = " or ".join(f"{width}x{height}" for _, height, width in allowed)
            raise CommandError(f"{file} is {x.shape[2]}x{x.shape[1]} pixels; here it must be {sizes}: scale or crop it")
        found.append(x.expand(allowed[0][0], -1, -1))
    return to_range(torch.stack(found), domain)


def _flat(image: Image.Image) -> Image.Image:
    """8-bit RGB, whatever it was; 16-bit grey by its high byte."""
    if image.mode.startswith("I"):
        deep = np.asarray(image).astype(np.int64).clip(0, 65535)
        image = Image.fromarray(((deep + 128) // 257).astype(np.uint8))
    if image.has_transparency_data:
        over = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return image.convert("RGB")
