"""Splits: disjoint, complete, of the sizes asked for, and the same on every machine and for ever."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch

from gen.errors import DataError
from gen_data.arrays import Arrays
from gen_data.digits import Digits
from gen_data.points2d import Points2d
from gen_data.splits import hashed_split, permuted_split

SPLITS = ("train", "val", "test")
NAMES = [f"cats/{number}.png" for number in range(400)]


@pytest.mark.parametrize(("val", "test", "sizes"), [(250, 250, (1297, 250, 250)), (0.1, 0.25, (1168, 180, 449))])
def test_permuted_splits_partition_the_samples(val: float, test: float, sizes: tuple[int, ...]) -> None:
    parts = [permuted_split(1797, split, val, test) for split in SPLITS]

    assert tuple(map(len, parts)) == sizes
    assert torch.cat(parts).sort().values.equal(torch.arange(1797))


def test_permuted_split_never_changes() -> None:
    order = permuted_split(1797, "train", 250, 250)

    assert hashlib.sha256(order.numpy().tobytes()).hexdigest()[:16] == "962724d07b7ac049"


def test_permuted_split_is_a_fair_shuffle() -> None:
    chosen = permuted_split(100_000, "val", 0.5, 1).double()

    assert abs(chosen.mean() / 100_000 - 0.5) < 5 * (1 / 12 / 50_000) ** 0.5  # five standard errors


@pytest.mark.parametrize(("val", "test"), [(0.1, 0.1), (30, 50), (0.2, 40)])
def test_hashed_splits_partition_the_files(val: float, test: float) -> None:
    parts = [hashed_split(NAMES, split, val, test) for split in SPLITS]

    assert sorted(place for part in parts for place in part) == list(range(400))
    for size, part in ((val, parts[1]), (test, parts[2])):
        assert len(part) == size if size >= 1 else abs(len(part) - 400 * size) < 5 * (400 * size) ** 0.5


def test_a_file_keeps_its_split_when_others_arrive() -> None:
    few = {split: {NAMES[place] for place in hashed_split(NAMES[:200], split, 0.2, 0.2)} for split in SPLITS}
    many = {split: {NAMES[place] for place in hashed_split(NAMES, split, 0.2, 0.2)} for split in SPLITS}

    assert all(few[split] <= many[split] for split in SPLITS)


def test_hashed_split_never_changes() -> None:
    assert [NAMES[place] for place in hashed_split(NAMES, "test", 0.1, 3)] == [
        "cats/42.png",
        "cats/7.png",
        "cats/171.png",
    ]


@pytest.mark.parametrize(
    ("val", "test", "message"),
    [
        (5, 5, "val (5) and test (5) leave nothing of 10 samples to train on: make them smaller"),
        (2.5, 1, "val is 2.5: below 1 it is a share, from 1 on a whole number of samples"),
    ],
)
def test_sizes_that_cannot_be_met_are_refused(val: float, test: float, message: str) -> None:
    for splitter in (
        lambda: permuted_split(10, "train", val, test),
        lambda: hashed_split(NAMES[:10], "train", val, test),
    ):
        with pytest.raises(DataError) as error:
            splitter()

        assert str(error.value) == message


@pytest.mark.parametrize("dataset", [Digits(), Points2d(), Arrays(file="a.npy", modality="vector")], ids=type)
def test_an_unknown_split_is_refused(dataset: Digits | Points2d | Arrays, tmp_path: Path) -> None:
    import numpy as np

    np.save(tmp_path / "a.npy", np.arange(10.0))
    with pytest.raises(DataError) as error:
        dataset.open("training", tmp_path)

    assert str(error.value) == 'there is no split "training": train, val and test are'
