"""Files that tests write: images good and hostile, IDX files."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

PngMaker = Callable[..., bytes]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@pytest.fixture
def png() -> PngMaker:
    """Makes a grey 8-bit PNG by hand: `raw` is what the pixel stream unpacks to, `extra` (kind, content) chunks."""

    def make(
        width: int, height: int, raw: bytes, *, interlaced: bool = False, extra: tuple[tuple[bytes, bytes], ...] = ()
    ) -> bytes:
        header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, interlaced)
        chunks = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)

    return make


@pytest.fixture
def picture() -> Callable[[Path, int], Path]:
    """Writes a small grey image that its number tells apart, and returns its path."""

    def write(path: Path, number: int, side: int = 8) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((side, side), number % 256, np.uint8)).save(path)
        return path

    return write


@pytest.fixture
def idx() -> Callable[[np.ndarray], bytes]:
    """The content of an IDX file of unsigned bytes."""
    return lambda array: struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()
