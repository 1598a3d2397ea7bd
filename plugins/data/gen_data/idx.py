"""The IDX format of MNIST: a big-endian header (magic, dimensions), then unsigned bytes (LeCun, Cortes, Burges)."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from pathlib import Path

import numpy as np

from gen.errors import DataError
from gen_data.files import shown

__all__ = ["parse", "unzip"]

_UBYTE = 8  # the third byte of the magic number: the type of the values


def unzip(raw: bytes, size: int, path: Path) -> bytes:
    """The content of a .gz file that should hold `size` bytes; no more than one byte beyond is ever unpacked."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
            content = stream.read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{shown(path)} cannot be unpacked ({error}): download it again") from error
    return content


def parse(content: bytes, dims: tuple[int, ...], path: Path) -> np.ndarray:
    """The array, uint8 [*dims]."""
    head = 4 + 4 * len(dims)
    expected = struct.pack(f">BBBB{len(dims)}I", 0, 0, _UBYTE, len(dims), *dims)
    size = head + int(np.prod(dims))
    if content[:head] != expected or len(content) != size:
        raise DataError(
            f"{shown(path)} is no IDX file of {'x'.join(map(str, dims))} bytes "
            f"(a header of {head} bytes and {size - head} values): download it again"
        )
    return np.frombuffer(bytearray(content), np.uint8, offset=head).reshape(dims)
