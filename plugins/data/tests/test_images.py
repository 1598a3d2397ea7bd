"""Folders of images: what is found, how it is split and labelled, and what happens to unreadable files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from gen.data import Stream, open_split
from gen.errors import DataError
from gen_data.image_rows import ImageRows
from gen_data.images import Images

Write = Callable[..., Path]
SMALL = {"folder": "pics", "side": 8, "channels": 1, "fit": "exact"}
CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path, picture: Write) -> Path:
    """pics/cats and pics/dogs with 20 images each, a hidden file, other files."""
    for number in range(40):
        picture(tmp_path / "pics" / ("cats" if number < 20 else "dogs") / f"{number}.png", number)
    for name in (".DS_Store", "Thumbs.db", "loader.py", "cats/notes.txt"):
        (tmp_path / "pics" / name).touch()
    return tmp_path / "pics"


@pytest.fixture
def many(tmp_path: Path, picture: Write) -> Path:
    """400 images, 200 in either class."""
    for number in range(400):
        picture(tmp_path / "pics" / str(number % 2) / f"{number}.png", number, 2)
    return tmp_path / "pics"


def _read_all(dataset: Images, root: Path) -> None:
    rows = dataset.open("train", root)
    rows.fetch(torch.arange(len(rows)))


def _refusal(root: Path, **options: object) -> str:
    with pytest.raises(DataError) as error:
        _read_all(Images(**{**SMALL, **options}), root)
    return str(error.value)


@pytest.mark.parametrize("cache", [False, True])
def test_splits_hold_every_image_once_with_its_class(folder: Path, cache: bool) -> None:
    seen = {}
    for split in ("train", "val", "test"):
        rows = Images(**SMALL, val=6, test=0.2, cache=cache).open(split, folder.parent)
        x, cond, index = rows.fetch(torch.arange(len(rows)))

        assert (x.dtype, x.shape[1:]) == (torch.uint8, rows.spec.shape)
        assert (rows.spec.domain.levels, rows.spec.cond.size) == (256, 2)
        assert rows.lazy is not cache
        assert torch.equal(index, torch.arange(len(rows)))
        seen |= dict(zip(x[:, 0, 0, 0].tolist(), cond.tolist(), strict=True))

    assert seen == {number: int(number >= 20) for number in range(40)}


def test_images_in_memory_equal_those_read_on_demand(folder: Path) -> None:
    lazy, kept = (Images(**SMALL, cache=cache).open("train", folder.parent) for cache in (False, True))
    index = torch.tensor([3, 0, 3])

    assert torch.equal(lazy.fetch(index).x, kept.fetch(index).x)
    assert lazy.fingerprint() == kept.fingerprint()


def test_fingerprint_changes_with_names_sizes_and_options(folder: Path, picture: Write) -> None:
    first = Images(**SMALL, val=1, test=1).open("train", folder.parent)
    prints = {
        first.fingerprint(),
        Images(**{**SMALL, "channels": 3}, val=1, test=1).open("train", folder.parent).fingerprint(),
    }
    picture(folder / first.files[0].name, 0, 9)
    prints.add(Images(**SMALL, val=1, test=1).open("train", folder.parent).fingerprint())
    picture(folder / "dogs/99.png", 99)
    prints.add(Images(**SMALL, val=1, test=1).open("train", folder.parent).fingerprint())

    assert len(prints) == 4


@pytest.mark.parametrize(
    "places", [["a.png", "b.png", "c.png"], ["x/a.png", "x/b.png", "x/c.png"], ["x/a.png", "y/b.png", "c.png"]]
)
def test_without_several_class_folders_there_are_no_labels(tmp_path: Path, picture: Write, places: list[str]) -> None:
    for number, place in enumerate(places):
        picture(tmp_path / "pics" / place, number)
    rows = Images(**SMALL, val=0, test=0).open("train", tmp_path)

    assert rows.spec.cond is None
    assert rows.fetch(torch.arange(3)).cond is None


def test_odd_names_are_only_names(tmp_path: Path, picture: Write) -> None:
    names = ["-rf.png", "new\nline.png", "snow☃.JPG", "..png.png", "x" * 250 + ".png", "$HOME.webp"]
    for number, name in enumerate(names):
        picture(tmp_path / "pics" / name, number * 40)
    os.rename(tmp_path / "pics" / names[0], os.fsencode(tmp_path / "pics") + b"/\xff\xfe.png")
    rows = Images(**SMALL, val=0, test=0).open("train", tmp_path)

    assert len(rows.fetch(torch.arange(5)).x.unique()) == 5  # ..png.png is hidden
    assert rows.fingerprint() == rows.fingerprint()


def test_readers_in_workers_give_the_same_batches(folder: Path) -> None:
    split = open_split(Images(**SMALL, val=4, test=4), "train", folder.parent)
    stream = Stream(split, batch=8, pieces=2, seed=0, device=CPU)

    with stream.reader(0, 2) as read:
        for cursor, number in ((0, 0), (0, 1), (1, 0)):
            assert torch.equal(read(cursor, number).x, stream.get(cursor, number).x)


def test_a_bad_image_met_by_a_worker_is_told_as_one_met_at_home(folder: Path) -> None:
    split = open_split(Images(**SMALL, val=0, test=0), "train", folder.parent)
    (spoilt,) = _spoil(split.rows, [0])
    stream = Stream(split, batch=len(split), pieces=1, seed=0, device=CPU)

    with pytest.raises(DataError) as at_home:
        stream.get(0, 0)
    with stream.reader(0, 2) as read, pytest.raises(DataError) as in_worker:
        read(0, 0)

    assert str(in_worker.value) == str(at_home.value)
    assert spoilt in str(in_worker.value)
    assert "Traceback" not in str(in_worker.value)


# -- what is refused ------------------------------------------------------------------------------------------------


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()

    assert _refusal(tmp_path) == f"{tmp_path}/pics is no folder; {tmp_path}: holds photos"


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "pics").mkdir()

    assert _refusal(tmp_path) == f"{tmp_path}/pics holds no image: .png, .jpg, .jpeg, .webp are read; it is empty"


def test_other_endings_are_listed(tmp_path: Path) -> None:
    (tmp_path / "pics").mkdir()
    for name in ("a.gif", "b.gif", "c.tiff", "README"):
        (tmp_path / "pics" / name).touch()

    assert _refusal(tmp_path) == (
        f"{tmp_path}/pics holds no image: .png, .jpg, .jpeg, .webp are read; found .gif (2), .tiff (1), no ending (1)"
    )


def test_links_that_lead_out_are_refused(folder: Path, tmp_path: Path, picture: Write) -> None:
    picture(tmp_path / "secret.png", 0)
    (folder / "cats/link.png").symlink_to(tmp_path / "secret.png")

    assert _refusal(tmp_path) == (
        f"{folder}/cats/link.png is a link that leads out of the folder: put the file there, or remove it"
    )


@pytest.mark.parametrize("target", [".", "cats"])
def test_links_to_folders_are_refused(folder: Path, target: str) -> None:
    (folder / "loop").symlink_to(folder / target)

    assert (
        _refusal(folder.parent) == f"{folder}/loop is a link to a folder: put the files themselves there, or remove it"
    )


def test_links_to_other_images_of_the_folder_are_read(folder: Path) -> None:
    (folder / "dogs/copy.png").symlink_to(folder / "cats/0.png")

    assert len(Images(**SMALL, val=0, test=0).open("train", folder.parent)) == 41


def test_a_folder_that_is_a_link_out_of_the_data_root_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root/pics").symlink_to("/usr")

    assert _refusal(tmp_path / "root") == (
        f"{tmp_path}/root/pics is a link that leads out of the data root: give its target with --data-root"
    )


def test_a_pipe_is_refused(folder: Path) -> None:
    os.mkfifo(folder / "cats/pipe.png")

    assert _refusal(folder.parent) == f"{folder}/cats/pipe.png is no ordinary file: remove it"


def test_folders_nested_too_deep_are_refused(folder: Path) -> None:
    (folder / "/".join(["d"] * 40)).mkdir(parents=True)

    assert _refusal(folder.parent) == f"{folder} holds folders nested more than 32 deep: flatten it"


def test_an_unreadable_image_stops_with_its_name(folder: Path) -> None:
    (folder / "cats/0.png").write_text("no image")

    assert _refusal(folder.parent, val=0, test=0) == f"{folder}/cats/0.png is no PNG, JPEG or WebP image"


def test_too_many_images_for_memory_are_refused_before_one_is_read(many: Path) -> None:
    assert _refusal(many.parent, side=4096, channels=3, fit="crop", cache=True, val=0, test=0) == (
        f"{many} would take 18.8 GiB of memory; at most 4 are taken: set cache to false"
    )


# -- on_bad: skip ---------------------------------------------------------------------------------------------------


SKIP = {**SMALL, "side": 2, "val": 0, "test": 0, "on_bad": "skip"}


def _spoil(rows: ImageRows, places: list[int]) -> list[str]:
    for place in places:
        (rows.folder / rows.files[place].name).write_bytes(b"spoiled")
    return [rows.files[place].name for place in places]


@pytest.mark.parametrize("cache", [False, True])
def test_bad_images_are_replaced_counted_and_reported(
    many: Path, cache: bool, caplog: pytest.LogCaptureFixture
) -> None:
    clean = Images(**SKIP).open("train", many.parent)
    before = clean.fetch(torch.arange(400))
    names = _spoil(clean, [5, 70, 399])
    rows = Images(**SKIP, cache=cache).open("train", many.parent)
    x, cond, index = rows.fetch(torch.arange(400))
    good = torch.tensor([place for place in range(400) if place not in (5, 70, 399)])

    assert torch.equal(x[good], before.x[good])
    assert torch.equal(cond[good], before.cond[good])
    assert torch.equal(index, torch.arange(400))
    assert all(value % 2 == label for value, label in zip(x[:, 0, 0, 0].tolist(), cond.tolist(), strict=True))
    assert rows.bad == names
    assert [record.message for record in caplog.records] == [
        f"{many}/{name} is no PNG, JPEG or WebP image: skipped, another image takes its place" for name in names
    ]


def test_the_replacement_does_not_depend_on_what_was_read_before(many: Path) -> None:
    _spoil(Images(**SKIP).open("train", many.parent), [5, 70, 399])
    forward, backward = (Images(**SKIP).open("train", many.parent) for _ in range(2))
    x = forward.fetch(torch.arange(400)).x

    assert torch.equal(
        torch.cat([backward.fetch(torch.tensor([place])).x for place in reversed(range(400))]).flip(0), x
    )


def test_above_one_per_cent_the_run_stops(many: Path) -> None:
    names = _spoil(Images(**SKIP).open("train", many.parent), list(range(0, 400, 5)))
    rows = Images(**SKIP).open("train", many.parent)
    with pytest.raises(DataError) as error:
        rows.fetch(torch.arange(400))

    assert str(error.value) == (
        f"5 of 400 images in {many} cannot be read, more than 1 %: {', '.join(rows.bad)}; mend or remove them"
    )
    assert set(rows.bad) <= set(names)


def test_bad_images_found_by_workers_are_known_to_all(many: Path) -> None:
    dataset = Images(**SKIP)
    split = open_split(dataset, "train", many.parent)
    names = _spoil(split.rows, [5, 70, 399])
    stream = Stream(split, batch=50, pieces=1, seed=0, device=CPU)
    with stream.reader(0, 2) as read:
        batches = [read(cursor, 0) for cursor in range(8)]

    assert sum(len(batch.x) for batch in batches) == 400
    assert split.rows.bad == names


def test_a_split_without_a_readable_image_is_told(tmp_path: Path, picture: Write) -> None:
    for number in range(300):
        picture(tmp_path / "pics" / f"{number}.png", number, 2)
    rows = Images(**{**SKIP, "val": 2}).open("val", tmp_path)
    _spoil(rows, [0, 1])
    with pytest.raises(DataError) as error:
        rows.fetch(torch.tensor([0]))

    assert str(error.value) == f"{tmp_path}/pics: no readable image was found to replace {rows.files[0].name}"
