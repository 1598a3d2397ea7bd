"""The file: what was packed is unpacked; anything else is refused with one message."""

from __future__ import annotations

import binascii
import struct
from pathlib import Path

import pytest
import torch

from gen.errors import CheckpointError, DataError
from gen_compression.archive import Header, pack, read_archive, symbols_sum, unpack

HEADER = Header(bytes(range(6)), 0xDEADBEEF, (2, 13), 2, 250, 100)
SERIES = Header(bytes(6), 1, (2, 13), 1, 1, 100, {"low": -3, "high": 70_000, "length": 309})
CODE = bytes(range(40))


@pytest.mark.parametrize("header", [HEADER, SERIES, Header(b"\xff" * 6, 0, (0, 0), 1024, 10_000_000, 65_536)])
@pytest.mark.parametrize("code", [b"", CODE])
def test_what_is_packed_is_unpacked(header: Header, code: bytes) -> None:
    assert unpack(pack(header, code), "x") == (header, code)


def test_the_header_of_images_is_two_dozen_bytes() -> None:
    """One per cent of 200 digits of 8x8 at two bits a value is 32 bytes."""
    assert len(pack(HEADER, b"")) == 23


def test_a_change_of_any_byte_and_any_cut_is_noticed() -> None:
    data = pack(HEADER, CODE)
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 0x41
        with pytest.raises(CheckpointError, match=r"x (is damaged|is no archive|has version)"):
            unpack(bytes(changed), "x")
        with pytest.raises(CheckpointError, match=r"x (is damaged|is no archive|has version)"):
            unpack(data[:at], "x")


def test_foreign_files_and_other_versions_are_told_apart() -> None:
    data = pack(HEADER, CODE)

    with pytest.raises(CheckpointError, match="x is no archive of gen compress: it begins with other bytes"):
        unpack(b"\x89PNG\r\n\x1a\n" + CODE, "x")
    with pytest.raises(CheckpointError, match=r"x has version 2 of the format, .* reads 1: upgrade it"):
        unpack(data[:3] + b"\x02" + data[4:], "x")
    with pytest.raises(CheckpointError, match="x is damaged: its checksum is not that of its content"):
        unpack(data[:-1] + b"\xff", "x")


def hostile(numbers: bytes, rest: bytes = b"") -> bytes:
    """A file with a good checksum and these bytes where threads, samples, batch and the length of the terms stand."""
    body = bytes(6) + bytes(4) + b"\x02\x0d" + numbers + rest
    return b"\x8fgc\x01" + struct.pack("<H", binascii.crc_hqx(body, 0)) + body


@pytest.mark.parametrize(
    ("numbers", "rest"),
    [
        (b"\x00\x01\x01\x00", b""),
        (b"\x01\xff\xff\xff\xff", b""),
        (b"\x01\xff\xff\xff\x7f\x01\x00", b""),
        (b"\x01\x01\x01\x7f", b"{}"),
        (b"\x01\x01", b""),
        (b"\x01\x01\x01\x02", b"[]"),
        (b"\x01\x01\x01\x09", b'{"a":1.5}'),
        (b"\x01\x01\x01\x08", b'{"a b":1'),
        (b"\x01\x01\x01\x00", b"abc"),
    ],
)
def test_headers_of_strangers_are_refused(numbers: bytes, rest: bytes) -> None:
    with pytest.raises(CheckpointError, match="is damaged"):
        unpack(hostile(numbers, rest), "x")


def test_a_file_that_is_not_there_or_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_archive(tmp_path / "nothing")
    with pytest.raises(CheckpointError, match="a folder, where only a regular file is accepted"):
        read_archive(tmp_path)


def test_the_sum_of_symbols_is_of_their_values_and_order() -> None:
    one = torch.tensor([[1, 2], [3, 4]])

    assert symbols_sum(one) == symbols_sum(one.clone())
    assert len({symbols_sum(one), symbols_sum(one.flip(1)), symbols_sum(one + 1)}) == 3
