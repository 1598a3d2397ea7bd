"""Data of two domains: pairs drawn anew, pairs that belong together, folders of the user's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gen.data import Stream, open_folder, open_split
from gen.errors import DataError
from gen.rows import TensorRows
from gen.types import DataSpec, Domain
from gen_data.digit_domains import DigitDomains
from gen_data.paired import Paired
from gen_data.transforms.crop import Crop
from gen_data.transforms.flip import Flip
from gen_data.unpaired import Unpaired
from gen_data.unpaired_rows import UnpairedRows

Write = Callable[..., Path]
CPU = torch.device("cpu")
SMALL = {"side": 8, "channels": 1, "fit": "exact", "val": 0, "test": 0}


def rows(n: int, m: int) -> UnpairedRows:
    """Domains that hold their own numbers."""
    spec = DataSpec.single(Domain((1,), "vector"))
    return UnpairedRows(
        {"a": TensorRows(spec, torch.arange(n)[:, None]), "b": TensorRows(spec, torch.arange(m)[:, None])}
    )


def epoch(pairs: UnpairedRows, seed: int) -> list[tuple[int, int]]:
    x = pairs.fetch(pairs.order(torch.Generator().manual_seed(seed))).x
    return list(zip(x["a"].flatten().tolist(), x["b"].flatten().tolist(), strict=True))


@pytest.mark.parametrize(("n", "m"), [(7, 7), (12, 5), (5, 12), (1, 4)])
def test_an_epoch_shows_the_longer_domain_once_and_the_shorter_evenly(n: int, m: int) -> None:
    found = epoch(rows(n, m), 0)
    long, short = (zip(*found, strict=True)) if n >= m else reversed(list(zip(*found, strict=True)))
    counts = np.bincount(short, minlength=min(n, m))

    assert sorted(long) == list(range(max(n, m)))
    assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize(("n", "m"), [(4, 3), (3, 4), (3, 3)])
def test_every_pair_has_exactly_one_number(n: int, m: int) -> None:
    x = rows(n, m).fetch(torch.arange(n * m)).x
    pairs = set(zip(x["a"].flatten().tolist(), x["b"].flatten().tolist(), strict=True))

    assert pairs == {(i, j) for i in range(n) for j in range(m)}


def test_pairs_are_a_function_of_seed_and_epoch() -> None:
    pairs = rows(40, 40)

    assert epoch(pairs, 1) == epoch(pairs, 1)
    assert len(set(epoch(pairs, 1)) & set(epoch(pairs, 2))) < 10  # one is expected


def test_a_stream_draws_new_pairs_every_epoch_and_remembers_them_by_its_cursor(tmp_path: Path) -> None:
    split = open_split(DigitDomains(), "train", tmp_path)
    stream = Stream(split, batch=8, pieces=1, seed=3, device=CPU)
    again = Stream(split, batch=8, pieces=1, seed=3, device=CPU)
    later = stream.per_epoch + 5
    first = stream.get(later, 0)

    assert torch.equal(again.get(later, 0).x["b"], first.x["b"])
    assert first.x["a"].shape == (8, 1, 8, 8)
    one, two = (stream.order(number) for number in (0, 1))
    assert not torch.equal(one.sort()[0], two.sort()[0])


def test_training_digits_of_two_looks_are_never_the_same_and_held_out_ones_are(tmp_path: Path) -> None:
    train, val = (DigitDomains().open(split, tmp_path) for split in ("train", "val"))
    x, held = train.fetch(train.order(torch.Generator().manual_seed(0))).x, val.fetch(torch.arange(len(val))).x
    seen = {tuple(one.flatten().tolist()) for one in x["a"]}

    assert not seen & {tuple((-one).flatten().tolist()) for one in x["b"]}
    assert torch.equal(held["b"], -held["a"])


def test_coloured_digits_tell_their_class_by_the_hue(tmp_path: Path) -> None:
    pairs = DigitDomains(look="coloured", paired=True).open("val", tmp_path)
    x = pairs.fetch(torch.arange(len(pairs))).x

    assert torch.equal(x["b"].amax(1, keepdim=True), x["a"])  # value (HSV) is the ink
    ink = (x["b"] + 1).flatten(2).sum(2)  # [N, 3]
    assert len({tuple(row) for row in (ink / ink.amax(1, keepdim=True)).mul(5).round().tolist()}) == 10


@pytest.fixture
def folders(tmp_path: Path, picture: Write) -> Path:
    """one/ with 0 to 9, two/ with 100 to 104; pairs of equal names among them."""
    for number in range(10):
        picture(tmp_path / "one" / f"{number}.png", number)
    for number in range(5):
        picture(tmp_path / "two" / f"{number}.png", 100 + number)
    return tmp_path


@pytest.mark.parametrize("cache", [False, True])
def test_two_folders_without_a_correspondence(folders: Path, cache: bool) -> None:
    found = Unpaired(a="one", b="two", cache=cache, **SMALL).open("train", folders)
    x = found.fetch(torch.arange(len(found))).x

    assert found.lazy is not cache
    assert sorted(x["a"][:, 0, 0, 0].tolist()) == list(range(10))
    assert sorted(x["b"][:, 0, 0, 0].tolist()) == sorted([*range(100, 105)] * 2)


def test_two_folders_of_equal_names_are_pairs(folders: Path, picture: Write) -> None:
    for number in range(5):
        picture(folders / "half" / f"{number}.png", number)
    found = Paired(a="half", b="two", **SMALL).open("train", folders)
    x = found.fetch(torch.arange(5)).x

    assert torch.equal(x["a"][:, 0, 0, 0] + 100, x["b"][:, 0, 0, 0])
    assert found.name(0) in {"0", "1", "2", "3", "4"}


def test_one_folder_of_images_side_by_side_is_pairs(tmp_path: Path) -> None:
    (tmp_path / "both").mkdir()
    for number in range(3):
        both = np.concatenate([np.full((8, 8), number, np.uint8), np.full((8, 8), number + 50, np.uint8)], 1)
        Image.fromarray(both).save(tmp_path / "both" / f"{number}.png")
    found = Paired(a="both", **SMALL).open("train", tmp_path)
    x = found.fetch(torch.arange(3)).x

    assert x["a"].shape == (3, 1, 8, 8)
    assert torch.equal(x["a"] + 50, x["b"])


def test_a_pair_is_mirrored_and_cropped_alike(folders: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(6):
        pixels = rng.integers(0, 256, (8, 8), np.uint8)
        for side in ("left", "right"):
            (folders / side).mkdir(exist_ok=True)
            Image.fromarray(pixels).save(folders / side / f"{number}.png")
    data = Paired(a="left", b="right", transforms=(Crop(to=5, mode="random"), Flip()), **SMALL)
    split = open_split(data, "train", folders)
    batch = split.batch(torch.arange(6), torch.Generator().manual_seed(1), CPU)

    assert batch.x["a"].shape == (6, 1, 5, 5)
    assert torch.equal(batch.x["a"], batch.x["b"])


def test_a_folder_of_the_users_own_is_read_as_one_domain(folders: Path) -> None:
    split = open_folder(Unpaired(a="one", b="two", **SMALL), folders / "one", "b")

    assert list(split.spec.domains) == ["b"]
    assert [split.rows.name(number) for number in range(10)] == [str(number) for number in range(10)]
    assert split.first(10, CPU).x[:, 0, 0, 0].mul(127.5).add(127.5).round().tolist() == list(range(10))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda root: Paired(a="one", b="two", **SMALL).open("train", root), "only one of "),
        (lambda root: open_folder(Unpaired(a="one", b="two", **SMALL), root / "one", "c"), 'no domain "c"'),
        (lambda root: open_folder(DigitDomains(), root / "one", "a"), "DigitDomains is no data set of files"),
        (lambda root: Unpaired(a="one", b="none", **SMALL).open("train", root), "none is no folder"),
        (lambda root: Unpaired(a="one", b="two", **{**SMALL, "val": 1}).open("test", root), "test split of domain a"),
    ],
)
def test_what_cannot_be_is_refused(folders: Path, made: Callable[[Path], object], said: str) -> None:
    with pytest.raises(DataError, match=said):
        made(folders)


def test_an_odd_width_cannot_hold_two_panels(tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    Image.fromarray(np.zeros((8, 17), np.uint8)).save(tmp_path / "odd" / "1.png")

    with pytest.raises(DataError, match="is 17 pixels wide, which 2 panels of one width cannot be"):
        Paired(a="odd", **{**SMALL, "fit": "crop"}).open("train", tmp_path)
