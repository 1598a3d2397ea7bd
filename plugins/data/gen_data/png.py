"""Does a PNG hold all of its rows? Pillow leaves rows that are missing black, without a word.

The pixel data are one zlib stream; its unpacked length follows from the header (PNG specification, sections 7 and 8).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from PIL import Image

__all__ = ["lacks_rows"]

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PIECE = 1 << 16


def lacks_rows(image: Image.Image, file: BinaryIO) -> bool:
    """Whether a loaded PNG lacks pixel data; counts them only where the last row is all zeros, as missing ones are."""
    width, height = image.size
    last = image.crop((0, height - 1, width, height))
    if not image.info.get("interlace") and last.tobytes().strip(b"\0"):
        return False
    file.seek(8)
    chunks = _chunks(file)
    bits, colour, _, _, interlaced = struct.unpack(">BBBBB", next(chunks)[1][8:13])
    needed = _size(width, height, bits * _CHANNELS[colour], interlaced)
    unpack = zlib.decompressobj()
    for piece in (content for kind, content in chunks if kind == b"IDAT"):
        while needed > 0:
            made = len(unpack.decompress(piece, _PIECE))
            needed -= made
            piece = unpack.unconsumed_tail
            if not piece and made < _PIECE:
                break
    return needed > 0


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """The chunks as (kind, content); text and profiles are passed over unread."""
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind in (b"IHDR", b"IDAT"):
            yield kind, file.read(length)
            file.seek(4, 1)
        else:
            file.seek(length + 4, 1)


def _size(width: int, height: int, bits: int, interlaced: int) -> int:
    """Bytes of the unpacked rows, each behind its filter byte."""
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    total = 0
    for x, y, dx, dy in passes:
        columns, rows = -(-(width - x) // dx), -(-(height - y) // dy)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total
