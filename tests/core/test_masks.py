"""Masks by word and by picture, and pictures of a person's own: exact, or refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gen.errors import CommandError, DataError
from gen.masks import make_mask
from gen.picture_files import read_picture, read_pictures
from gen.types import Domain

GREY = Domain((1, 4, 6))
COLOUR = Domain((3, 4, 6))


@pytest.fixture
def saved(tmp_path: Path):
    """Writes bytes [H, W] or [H, W, C] as a PNG, and gives its path."""

    def save(pixels, name: str = "x.png", mode: str | None = None) -> Path:
        path = tmp_path / name
        Image.fromarray(np.asarray(pixels, dtype=np.uint8)).convert(mode).save(path)
        return path

    return save


def gradient(height: int = 4, width: int = 6) -> np.ndarray:
    return np.arange(height * width, dtype=np.uint8).reshape(height, width) * 10


@pytest.mark.parametrize(
    ("word", "shape", "known"),
    [
        ("half", (1, 4, 6), [[1] * 6] * 2 + [[0] * 6] * 2),
        ("half", (3, 3, 2), [[1, 1], [1, 1], [0, 0]]),
        ("centre", (1, 4, 4), [[1, 1, 1, 1], [1, 0, 0, 1], [1, 0, 0, 1], [1, 1, 1, 1]]),
        ("random:1", (1, 2, 2), [[1, 1], [1, 1]]),
        ("random:0", (1, 2, 2), [[0, 0], [0, 0]]),
    ],
)
def test_a_word_says_what_is_known(word: str, shape: tuple[int, ...], known: list[list[int]]) -> None:
    assert make_mask(word, shape, 1).tolist() == [[known]]


def test_masks_of_points_and_series_have_their_axes() -> None:
    assert make_mask("half", (5,), 3).tolist() == [[1, 1, 1, 0, 0]]
    assert make_mask("centre", (2, 8), 3).tolist() == [[[1, 1, 0, 0, 0, 0, 1, 1]]]


def test_random_masks_differ_by_sample_follow_the_seed_and_know_their_share() -> None:
    masks = [make_mask("random:0.3", (3, 50, 50), 4, seed) for seed in (1, 1, 2)]

    assert masks[0].shape == (4, 1, 50, 50)
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])
    assert not torch.equal(masks[0][0], masks[0][1])
    assert masks[0].mean().item() == pytest.approx(0.3, abs=4 * (0.21 / 10_000) ** 0.5)


def test_white_of_a_drawn_mask_is_known(saved) -> None:
    light = gradient()

    assert torch.equal(make_mask(str(saved(light)), (1, 4, 6), 5)[0, 0], torch.from_numpy(light > 127).float())


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
def test_pictures_come_pixel_by_pixel_in_the_range_of_the_data(saved, mode: str) -> None:
    x = read_pictures(saved(gradient(), mode=mode), [(1, 4, 6)], GREY)

    assert torch.equal(((x + 1) * 127.5).round().to(torch.uint8)[0, 0], torch.from_numpy(gradient()))


def test_grey_serves_as_colour_and_a_folder_is_read_by_name(saved) -> None:
    colour = np.stack([gradient(), 255 - gradient(), gradient()], 2)
    saved(colour, "b.png")
    folder = saved(gradient(), "a.png").parent
    (folder / "notes.txt").write_text("not read")

    x = read_pictures(folder, [(3, 4, 6)], COLOUR)

    assert x.shape == (2, 3, 4, 6)
    assert torch.equal(x[0, 0], x[0, 1])
    assert torch.allclose(x[1, 0], -x[1, 1], atol=1e-6)


def test_a_smaller_shape_that_is_allowed_is_read_as_such(saved) -> None:
    small = saved(gradient(2, 3))
    assert read_pictures(small, [(1, 2, 3), (1, 4, 6)], GREY).shape == (1, 1, 2, 3)


def test_sixteen_bits_of_grey_keep_their_high_byte(tmp_path: Path) -> None:
    Image.fromarray(gradient().astype(np.uint16) * 257).save(tmp_path / "deep.png")
    assert torch.equal(read_picture(tmp_path / "deep.png")[0], torch.from_numpy(gradient()))


def test_pictures_that_do_not_fit_are_refused_with_size_and_colour(saved) -> None:
    wrong, colour = saved(gradient(3, 3), "wrong.png"), saved(np.dstack([gradient()] * 2 + [gradient() * 0]), "c.png")

    for shapes, sizes in (([(1, 4, 6)], "6x4"), ([(1, 2, 3), (1, 4, 6)], "3x2 or 6x4")):
        with pytest.raises(CommandError, match=f"wrong.png is 3x3 pixels; here it must be {sizes}: scale or crop it"):
            read_pictures(wrong, shapes, GREY)
    with pytest.raises(CommandError, match=r"c.png is in colour, and this model knows grey pictures only"):
        read_pictures(colour, [(1, 4, 6)], GREY)
    with pytest.raises(CommandError, match=r"the data of this run are none: their shape is \(2,\)"):
        read_pictures(wrong, [(2,)], Domain((2,), "vector"))


def test_pictures_of_a_folder_are_of_one_size(saved) -> None:
    saved(gradient(2, 3), "a.png")
    folder = saved(gradient(), "b.png").parent
    with pytest.raises(CommandError, match=r"b.png is 6x4 pixels; here it must be 3x2"):
        read_pictures(folder, [(1, 2, 3), (1, 4, 6)], GREY)


def test_files_that_are_no_pictures_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_text("no picture")
    empty = tmp_path / "empty"
    empty.mkdir()

    with pytest.raises(DataError, match=r"x.png is no PNG, JPEG or WebP image that can be read"):
        read_picture(tmp_path / "x.png")
    with pytest.raises(DataError, match=r"nowhere.png does not exist"):
        read_pictures(tmp_path / "nowhere.png", [(1, 4, 6)], GREY)
    with pytest.raises(CommandError, match="empty holds no PNG, JPEG or WebP files"):
        read_pictures(empty, [(1, 4, 6)], GREY)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("quarter", r"a mask is a picture \(white = known\) or half .*; quarter is neither"),
        ("random:2", "random:SHARE takes the share that is known, 0 to 1, got random:2"),
        ("random:some", "random:SHARE takes the share that is known, 0 to 1, got random:some"),
    ],
)
def test_what_is_no_mask_is_refused(said: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        make_mask(said, (1, 4, 6), 1)


def test_a_mask_of_another_size_is_refused(saved) -> None:
    with pytest.raises(CommandError, match=r"x.png is 3x3 pixels; the data are 6x4: draw one of their size"):
        make_mask(str(saved(gradient(3, 3))), (1, 4, 6), 1)
