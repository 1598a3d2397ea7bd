"""The file: a header of some two dozen bytes, then the code. All numbers are little-endian.

    3 bytes   magic, 8F 67 63                      1   version of the format
    2         CRC-16 of everything after it        6   start of the SHA-256 of the weights that coded
    4         CRC-32 of the symbols                2   PyTorch's version, major and minor
    varints   threads, samples, samples per batch, bytes of the terms
    …         terms: JSON, what the model has to be told besides (nothing for images)
    …         the code, words of 32 bits

What samples look like (shape, levels, likelihood) the weights' own configuration says. A varint has seven bits a byte,
the lowest first; the top bit says that more follow.
"""

from __future__ import annotations

import binascii
import json
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import torch
from torch import Tensor

from gen.errors import CheckpointError, DataError
from gen.files import open_regular, parse_json

__all__ = ["FORMAT", "MODEL_BYTES", "Header", "here", "pack", "read_archive", "symbols_sum", "unpack"]

MAGIC, FORMAT = b"\x8fgc", 1
MODEL_BYTES = 6
_FIXED = struct.Struct(f"<{MODEL_BYTES}sIBB")
_MOST_FILE, _MOST_TERMS = 2**31, 4096
_LIMITS = {"threads": 1024, "samples": 10_000_000, "batch": 65_536, "terms": _MOST_TERMS}


@attrs.frozen
class Header:
    """What a decoder needs besides the model: `model` its hash's first bytes, `content` the CRC-32 of the symbols."""

    model: bytes
    content: int
    torch: tuple[int, int]
    threads: int
    count: int
    batch: int
    terms: Mapping[str, int] = attrs.field(factory=dict)


def here() -> tuple[int, int]:
    """PyTorch's version, as the header keeps it."""
    major, minor = torch.__version__.split(".")[:2]
    return int(major), int(minor)


def symbols_sum(symbols: Tensor) -> int:
    """The CRC-32 of symbols [B, N], as 32-bit integers."""
    return zlib.crc32(symbols.numpy().astype("<i4").tobytes())


def pack(header: Header, payload: bytes) -> bytes:
    """The whole file."""
    terms = json.dumps(dict(header.terms), sort_keys=True, separators=(",", ":")).encode() if header.terms else b""
    fixed = _FIXED.pack(header.model, header.content, *header.torch)
    numbers = b"".join(map(_varint, (header.threads, header.count, header.batch, len(terms))))
    rest = fixed + numbers + terms + payload
    return MAGIC + bytes([FORMAT]) + struct.pack("<H", binascii.crc_hqx(rest, 0)) + rest


def read_archive(path: Path) -> tuple[Header, bytes]:
    """The header and the code of a file.

    Raises:
        CheckpointError: it cannot be read, is no archive, damaged, or of another version.
    """
    if not path.exists():
        raise DataError(f"{path} does not exist")
    with open_regular(path) as file:
        data = file.read(_MOST_FILE + 1)
    return unpack(data, str(path))


def unpack(data: bytes, source: str) -> tuple[Header, bytes]:
    """The inverse of `pack`; `source` is what messages call the file.

    Raises:
        CheckpointError: this is no archive, or a damaged one, or one of another version of the format.
    """
    if data[:3] != MAGIC:
        raise CheckpointError(f"{source} is no archive of gen compress: it begins with other bytes")
    if data[3:4] != bytes([FORMAT]):
        version = data[3] if len(data) > 3 else "missing"
        raise CheckpointError(
            f"{source} has version {version} of the format, and this gen-compression reads {FORMAT}: upgrade it"
        )
    rest = data[6:]
    if len(data) > _MOST_FILE or len(rest) < _FIXED.size or data[4:6] != struct.pack("<H", binascii.crc_hqx(rest, 0)):
        raise CheckpointError(f"{source} is damaged: its checksum is not that of its content")
    try:
        return _parse(rest)
    except (ValueError, IndexError, TypeError) as error:  # a stranger's file, with a good checksum
        raise CheckpointError(f"{source} is damaged: its header makes no sense ({error})") from error


def _parse(rest: bytes) -> tuple[Header, bytes]:
    model, content, major, minor = _FIXED.unpack_from(rest)
    at, numbers = _FIXED.size, {}
    for name, limit in _LIMITS.items():
        value, at = _number(rest, at)
        if not (name == "terms" or value) or value > limit:
            raise ValueError(f"{name} {value}")
        numbers[name] = value
    end = at + numbers["terms"]
    terms: Any = parse_json(rest[at:end], "its terms") if numbers["terms"] else {}
    if end > len(rest) or (len(rest) - end) % 4:
        raise ValueError("it ends within a word")
    if not isinstance(terms, dict) or not all(type(v) is int and k.isidentifier() for k, v in terms.items()):
        raise ValueError("its terms are no integers by name")
    header = Header(model, content, (major, minor), numbers["threads"], numbers["samples"], numbers["batch"], terms)
    return header, rest[end:]


def _varint(value: int) -> bytes:
    low = [value >> shift & 127 for shift in range(0, max(1, value.bit_length()), 7)]
    return bytes([*(part | 128 for part in low[:-1]), low[-1]])


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A varint of at most four bytes, and where the next one begins."""
    value = 0
    for place in range(4):
        byte = data[at + place]
        value |= (byte & 127) << 7 * place
        if byte < 128:
            return value, at + place + 1
    raise ValueError("a number that does not end")
