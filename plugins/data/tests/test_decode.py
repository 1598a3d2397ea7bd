"""Reading one image: every colour mode by rule, every hostile file refused by name and quickly."""

from __future__ import annotations

import io
import os
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gen.errors import DataError
from gen_data.decode import Reader

ROW = b"\0" + b"\x80" * 8
RAMP = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4


def _saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _read(tmp_path: Path, content: bytes, channels: int = 1, side: int = 8, fit: str = "exact") -> np.ndarray:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    return Reader(side, channels, fit).read(path)


def _refusal(tmp_path: Path, content: bytes, **reader: object) -> str:
    started = time.perf_counter()
    with pytest.raises(DataError) as error:
        _read(tmp_path, content, **reader)

    assert time.perf_counter() - started < 1
    assert str(error.value).startswith(f"{tmp_path}/a.png ")
    return str(error.value).removeprefix(f"{tmp_path}/a.png ")


GREY = Image.fromarray(RAMP)
HALF = Image.fromarray(np.full((8, 8), 128, np.uint8))
CLEAR = Image.new("L", (8, 8), 0)


def _with_alpha(image: Image.Image, alpha: Image.Image) -> Image.Image:
    image = image.copy()
    image.putalpha(alpha)
    return image


@pytest.mark.parametrize(
    ("content", "grey"),
    [
        (_saved(GREY), RAMP),
        (_saved(GREY.convert("RGB")), RAMP),
        (_saved(GREY.convert("P")), RAMP),
        (_saved(GREY, "WEBP", lossless=True), RAMP),
        (_saved(Image.fromarray(RAMP > 100)), (RAMP > 100) * 255),
        (_saved(Image.fromarray(RAMP.astype(np.uint16) * 257)), RAMP),
        (_saved(_with_alpha(GREY, CLEAR)), RAMP * 0 + 255),
        (_saved(_with_alpha(GREY.convert("RGB"), CLEAR)), RAMP * 0 + 255),
        (_saved(_with_alpha(CLEAR, HALF)), RAMP * 0 + 127),
        (_saved(Image.new("P", (8, 8), 0), transparency=0), RAMP * 0 + 255),
        (_saved(HALF.convert("CMYK"), "JPEG", quality=100), RAMP * 0 + 128),
    ],
    ids=["L", "RGB", "P", "webp", "1", "I;16", "LA", "RGBA", "half-transparent", "P+transparency", "CMYK"],
)
def test_every_mode_has_its_rule(tmp_path: Path, content: bytes, grey: np.ndarray) -> None:
    for channels in (1, 3):
        pixels = _read(tmp_path, content, channels)

        assert pixels.dtype == np.uint8
        assert pixels.shape == (channels, 8, 8)
        assert all(np.abs(channel.astype(int) - grey).max() <= 1 for channel in pixels)


def test_colour_channels_keep_their_order(tmp_path: Path) -> None:
    assert _read(tmp_path, _saved(Image.new("RGB", (8, 8), (10, 20, 30))), 3)[:, 0, 0].tolist() == [10, 20, 30]


def test_photos_are_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # "rotate 90 degrees clockwise to view"

    assert np.array_equal(_read(tmp_path, _saved(GREY, exif=exif.tobytes()))[0], np.rot90(RAMP, -1))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_the_first_frame_of_an_animation_is_read(tmp_path: Path, kind: str) -> None:
    content = _saved(GREY, kind, save_all=True, append_images=[CLEAR], lossless=True)

    assert np.array_equal(_read(tmp_path, content)[0], RAMP)


WIDE = Image.fromarray(np.repeat(np.array([[50] * 8 + [200] * 16 + [50] * 8], np.uint8), 16, 0))  # 32 x 16


@pytest.mark.parametrize(
    ("fit", "middle_row"),
    [
        ("crop", [200] * 8),
        ("stretch", [50, 50, 200, 200, 200, 200, 50, 50]),
        ("pad", [50, 50, 200, 200, 200, 200, 50, 50]),
    ],
)
def test_fit_brings_an_image_to_the_square(tmp_path: Path, fit: str, middle_row: list[int]) -> None:
    pixels = _read(tmp_path, _saved(WIDE), fit=fit)[0]

    assert np.abs(pixels[4].astype(int) - middle_row).max() <= 15  # the cubic kernel rings a little at edges
    assert (pixels[[0, -1]] == 0).all() == (fit == "pad")


@pytest.mark.parametrize("fit", ["crop", "stretch", "pad"])
@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1)])
def test_extreme_sizes_are_brought_to_the_square(tmp_path: Path, fit: str, size: tuple[int, int]) -> None:
    assert _read(tmp_path, _saved(Image.new("L", size, 77)), fit=fit).max() == 77


def test_a_large_photo_is_read_like_a_small_one(tmp_path: Path) -> None:
    large = Image.radial_gradient("L").resize((2048, 2048)).convert("RGB")
    pixels = _read(tmp_path, _saved(large, "JPEG", quality=95), 3, fit="crop")[0]
    reference = np.asarray(Image.radial_gradient("L").resize((8, 8), Image.Resampling.BICUBIC))

    assert np.abs(pixels.astype(int) - reference).max() <= 4


def test_the_wrong_size_is_refused_where_exact_is_asked_for(tmp_path: Path) -> None:
    assert _refusal(tmp_path, _saved(WIDE)) == "is 32x16, but 8x8 is wanted: set fit to crop, stretch or pad"


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8))
NO_IMAGE = "is no PNG, JPEG or WebP image"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"hello", NO_IMAGE),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n", NO_IMAGE),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', NO_IMAGE),
        (_saved(GREY, "GIF"), NO_IMAGE),
        (_saved(GREY, "TIFF"), NO_IMAGE),
        (_saved(NOISE)[:2000], "cannot be read (image file is truncated)"),
        (_saved(NOISE, "JPEG")[:2000], "cannot be read (image file is truncated (25 bytes not processed))"),
        (_saved(NOISE, "WEBP")[:1000], "cannot be read (could not create decoder object)"),
    ],
    ids=["empty", "text", "EPS", "SVG", "GIF", "TIFF", "half a PNG", "half a JPEG", "half a WebP"],
)
def test_what_is_no_whole_image_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    assert _refusal(tmp_path, content, fit="crop") == message


@pytest.mark.parametrize("rows", [0, 1, 7])
@pytest.mark.parametrize("interlaced", [False, True])
def test_missing_rows_are_refused(tmp_path: Path, png: Callable[..., bytes], rows: int, interlaced: bool) -> None:
    assert _refusal(tmp_path, png(8, 8, ROW * rows, interlaced=interlaced)).startswith("cannot be read (")


def test_missing_rows_have_a_message_of_their_own(tmp_path: Path, png: Callable[..., bytes]) -> None:
    assert _refusal(tmp_path, png(8, 8, ROW * 3)) == "cannot be read (rows are missing)"


@pytest.mark.parametrize(
    "image", [CLEAR, Image.new("1", (9, 8)), Image.new("RGBA", (7, 8)), Image.new("P", (300, 400))]
)
def test_a_black_last_row_is_no_missing_row(tmp_path: Path, image: Image.Image) -> None:
    assert _read(tmp_path, _saved(image), fit="stretch").shape == (1, 8, 8)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (8, 8), (17, 9)])
def test_a_whole_interlaced_image_is_read(tmp_path: Path, png: Callable[..., bytes], size: tuple[int, int]) -> None:
    width, height = size
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    raw = b"".join(
        (b"\0" + b"\x80" * len(range(x, width, dx))) * len(range(y, height, dy))
        for x, y, dx, dy in passes
        if range(x, width, dx)
    )

    assert (_read(tmp_path, png(width, height, raw, interlaced=True), fit="stretch") == 128).all()


@pytest.mark.parametrize("side", [9_000, 13_000, 60_000])
def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path, png: Callable[..., bytes], side: int) -> None:
    assert _refusal(tmp_path, png(side, side, bytes(1000))) == "has more than 64 megapixels"


def test_an_image_without_pixels_is_refused(tmp_path: Path, png: Callable[..., bytes]) -> None:
    assert _refusal(tmp_path, png(0, 0, b"")) == NO_IMAGE


BOMB = b"a\0\0" + zlib.compress(bytes(50_000_000))


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_text_and_profile_bombs_are_refused(tmp_path: Path, png: Callable[..., bytes], kind: bytes) -> None:
    assert _refusal(tmp_path, png(8, 8, ROW * 8, extra=((kind, BOMB),))) == (
        "cannot be read (ValueError: Decompressed data too large for PngImagePlugin.MAX_TEXT_CHUNK)"
    )


def test_damage_never_escapes_as_another_error(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    whole = [_saved(GREY), _saved(GREY.convert("RGB"), "JPEG"), _saved(GREY, "WEBP")]
    refused = 0
    for trial in range(300):
        content = bytearray(whole[trial % 3])
        for place in rng.integers(0, len(content), 4):
            content[place] = rng.integers(0, 256)
        try:
            assert _read(tmp_path, bytes(content), fit="crop").shape == (1, 8, 8)
        except DataError:
            refused += 1

    assert refused > 100


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with path.open("wb") as file:
        file.truncate(1 << 30)  # sparse
    with pytest.raises(DataError) as error:
        Reader(8, 1, "crop").read(path)

    assert str(error.value) == f"{path} is larger than 256 MiB"


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(DataError) as error:
        Reader(8, 1, "crop").read(tmp_path / "a.png")

    assert str(error.value) == f"{tmp_path}/a.png is no ordinary file"


def test_a_file_that_vanished_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        Reader(8, 1, "crop").read(tmp_path / "a\nb.png")

    assert str(error.value) == f"{tmp_path}/a\\nb.png cannot be read (No such file or directory)"
