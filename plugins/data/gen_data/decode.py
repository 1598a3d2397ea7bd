"""One image file to one array of bytes, refusing whatever is not plainly an image (Pillow, three formats only)."""

from __future__ import annotations

import os
import stat
import warnings
from pathlib import Path
from typing import BinaryIO

import attrs
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from gen.errors import DataError
from gen_data.files import shown
from gen_data.png import lacks_rows

__all__ = ["MEGAPIXELS", "Reader"]

MEGAPIXELS = 64
"""An image of more is refused before any pixel is unpacked."""

_BYTES = 256 << 20
_FORMATS = ("PNG", "JPEG", "WEBP")
_SAFE_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"})
_DEEP_MODES = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I"})
_BICUBIC = Image.Resampling.BICUBIC


@attrs.frozen
class Reader:
    """Reads images as uint8 arrays [channels, side, side].

    `fit` brings an image to the square: crop (the central square, scaled), stretch, pad (scaled whole, black
    around it), exact (any other size is refused). An image of several `panels` shows them side by side, of one width;
    each is brought to the square by itself.
    """

    side: int
    channels: int
    fit: str
    panels: int = 1

    def read(self, path: Path) -> np.ndarray:
        """The first frame, turned as its EXIF says, uint8 [C, H, W]; of several panels [panels, C, H, W].

        Raises:
            DataError: naming the file and what is wrong with it.
        """
        try:
            with _regular(path) as file, warnings.catch_warnings():
                warnings.simplefilter("ignore")  # limits are checked here; the rest is Pillow's worry about metadata
                return self._decode(file)
        except DataError as error:
            raise DataError(f"{shown(path)} {error}") from error
        except UnidentifiedImageError as error:
            raise DataError(f"{shown(path)} is no PNG, JPEG or WebP image") from error
        except Image.DecompressionBombError as error:
            raise DataError(f"{shown(path)} {_TOO_LARGE}") from error
        except OSError as error:
            raise DataError(f"{shown(path)} cannot be read ({error.strerror or error})") from error
        except Exception as error:  # a decoder fed with foreign bytes may fail in any way
            raise DataError(f"{shown(path)} cannot be read ({type(error).__name__}: {error})") from error

    def _decode(self, file: BinaryIO) -> np.ndarray:
        with Image.open(file, formats=_FORMATS) as image:
            width, height = image.size
            if width * height > MEGAPIXELS * 1_000_000:
                raise DataError(_TOO_LARGE)
            whole = (self.panels * self.side, self.side)
            if self.fit == "exact" and image.size != whole:
                raise DataError(
                    f"is {width}x{height}, but {whole[0]}x{whole[1]} is wanted: set fit to crop, stretch or pad"
                )
            if self.fit != "exact" and self.panels == 1:
                image.draft(None, (2 * self.side, 2 * self.side))  # a large JPEG is unpacked at half its size or less
            image.load()
            if image.format == "PNG" and lacks_rows(image, file):
                raise DataError("cannot be read (rows are missing)")
            upright = ImageOps.exif_transpose(image)
            flat = _flatten(upright, "L" if self.channels == 1 else "RGB")
            shown = [self._bytes(panel) for panel in self._cut(flat)]
        return shown[0] if self.panels == 1 else np.stack(shown)

    def _cut(self, image: Image.Image) -> list[Image.Image]:
        width, rest = divmod(image.width, self.panels)
        if rest:
            raise DataError(f"is {image.width} pixels wide, which {self.panels} panels of one width cannot be")
        return [image.crop((i * width, 0, (i + 1) * width, image.height)) for i in range(self.panels)]

    def _bytes(self, image: Image.Image) -> np.ndarray:
        pixels = np.asarray(self._fitted(image))  # [H, W] or [H, W, C]
        return np.ascontiguousarray(pixels.reshape(self.side, self.side, self.channels).transpose(2, 0, 1))

    def _fitted(self, image: Image.Image) -> Image.Image:
        width, height = image.size
        whole = (self.side, self.side)
        if image.size == whole:
            return image
        if self.fit == "stretch":
            return image.resize(whole, _BICUBIC)
        if self.fit == "pad":
            scale = self.side / max(width, height)
            inner = image.resize((max(1, round(width * scale)), max(1, round(height * scale))), _BICUBIC)
            canvas = Image.new(image.mode, whole)  # black
            canvas.paste(inner, ((self.side - inner.width) // 2, (self.side - inner.height) // 2))
            return canvas
        short = min(width, height)
        left, top = (width - short) // 2, (height - short) // 2
        return image.resize(whole, _BICUBIC, box=(left, top, left + short, top + short))


_TOO_LARGE = f"has more than {MEGAPIXELS} megapixels"


def _regular(path: Path) -> BinaryIO:
    """Opens a file that is one: a FIFO or a device would hang or never end."""
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    status = os.fstat(file.fileno())
    problem = ""
    if not stat.S_ISREG(status.st_mode):
        problem = "is no ordinary file"
    elif status.st_size == 0:
        problem = "is empty"
    elif status.st_size > _BYTES:
        problem = f"is larger than {_BYTES >> 20} MiB"
    if problem:
        file.close()
        raise DataError(problem)
    return file


def _flatten(image: Image.Image, mode: str) -> Image.Image:
    """To 8-bit grey or RGB by rule: transparent pixels over white, 16-bit grey by its high byte (rounded)."""
    if image.mode in _DEEP_MODES:
        deep = np.asarray(image).astype(np.int64).clip(0, 65535)
        image = Image.fromarray(((deep + 128) // 257).astype(np.uint8))
    elif image.mode not in _SAFE_MODES:
        raise DataError(f"has the colour mode {image.mode}, which has no rule")
    if image.has_transparency_data:
        over = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return image.convert("RGB").convert(mode) if image.mode not in ("1", "L", "RGB") else image.convert(mode)
