"""MNIST and Fashion-MNIST: found, verified and split, or told where they were looked for."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import attrs
import numpy as np
import pytest
import torch

from gen.errors import DataError
from gen_data import mnist
from gen_data.mnist import TEST, TRAIN, FashionMnist, Mnist

REAL = Path(__file__).parents[3].parent / "shared" / "data"


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, idx: Callable[[np.ndarray], bytes]) -> dict[str, bytes]:
    """A collection of 30 + 10 samples of 4x4 in place of the 70,000, and the content of its four files."""
    rng = np.random.default_rng(0)
    arrays = {
        TRAIN[0]: rng.integers(0, 256, (30, 4, 4), np.uint8),
        TRAIN[1]: rng.integers(0, 10, 30, np.uint8),
        TEST[0]: rng.integers(0, 256, (10, 4, 4), np.uint8),
        TEST[1]: rng.integers(0, 10, 10, np.uint8),
    }
    files = {name: idx(array) for name, array in arrays.items()}
    sums = {name: (_md5(gzip.compress(content, mtime=0)), _md5(content)) for name, content in files.items()}
    small = {"sums": sums, "train": 30, "test": 10, "val": 10, "side": 4}
    monkeypatch.setattr(mnist, "MNIST", attrs.evolve(mnist.MNIST, **small))
    unknown = {name: (zipped, None) for name, (zipped, _) in sums.items()}
    monkeypatch.setattr(mnist, "FASHION", attrs.evolve(mnist.FASHION, **{**small, "sums": unknown}))
    return files


def _write(folder: Path, files: dict[str, bytes], packed: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}{'.gz' * packed}").write_bytes(gzip.compress(content, mtime=0) if packed else content)


@pytest.mark.parametrize("packed", [True, False], ids=["gz", "plain"])
@pytest.mark.parametrize(
    ("dataset", "place"),
    [
        (Mnist(), "mnist"),
        (Mnist(), "."),
        (Mnist(folder="a/b"), "a/b"),
        (FashionMnist(), "fashion-mnist"),
        (FashionMnist(), "."),
    ],
    ids=["mnist", "mnist in the root", "mnist in a folder", "fashion", "fashion in the root"],
)
def test_files_are_found_and_read(
    tiny: dict[str, bytes], tmp_path: Path, dataset: Mnist | FashionMnist, place: str, packed: bool
) -> None:
    _write(tmp_path / place, tiny, packed)
    content = {"train": (TRAIN, slice(0, 20)), "val": (TRAIN, slice(20, 30)), "test": (TEST, slice(0, 10))}
    for split, (names, chosen) in content.items():
        rows = dataset.open(split, tmp_path)
        x, cond, _ = rows.fetch(torch.arange(len(rows)))
        pixels = np.frombuffer(tiny[names[0]], np.uint8, offset=16).reshape(-1, 1, 4, 4)[chosen]
        labels = np.frombuffer(tiny[names[1]], np.uint8, offset=8)[chosen]

        assert x.dtype == torch.uint8
        assert np.array_equal(x.numpy(), pixels)
        assert np.array_equal(cond.numpy(), labels)
        assert (rows.spec.shape, rows.spec.domain.levels, rows.spec.cond.size) == ((1, 4, 4), 256, 10)


def test_limit_keeps_the_first_training_samples_only(tiny: dict[str, bytes], tmp_path: Path) -> None:
    _write(tmp_path, tiny, True)
    whole, few = Mnist().open("train", tmp_path), Mnist(limit=5).open("train", tmp_path)

    assert torch.equal(few.fetch(torch.arange(5)).x, whole.fetch(torch.arange(5)).x)
    assert (len(few), len(Mnist(limit=5).open("val", tmp_path))) == (5, 10)


def test_missing_files_are_told_with_the_places_and_the_source(tmp_path: Path) -> None:
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / f"{TRAIN[0]}.gz").touch()
    with pytest.raises(DataError) as error:
        Mnist().open("train", tmp_path)

    assert str(error.value) == (
        "MNIST needs train-images-idx3-ubyte and train-labels-idx1-ubyte (plain or .gz); looked in\n"
        f"  {tmp_path}/mnist: holds train-images-idx3-ubyte.gz\n"
        f"  {tmp_path}: holds mnist\n"
        "get the four files train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz, "
        "t10k-labels-idx1-ubyte.gz\n"
        'from LeCun, Cortes and Burges, "The MNIST database of handwritten digits",\n'
        f"put them into {tmp_path}/mnist, or say with --data-root where else to look"
    )


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        FashionMnist(folder="a").open("test", tmp_path)

    assert str(error.value) == (
        "Fashion-MNIST needs t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (plain or .gz); looked in\n"
        f"  {tmp_path}/a: no such folder\n"
        "get the four files train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz, "
        "t10k-labels-idx1-ubyte.gz\n"
        "from Zalando Research, github.com/zalandoresearch/fashion-mnist, folder data/fashion,\n"
        f"put them into {tmp_path}/a, or say with --data-root where else to look"
    )


@pytest.mark.parametrize("packed", [True, False], ids=["gz", "plain"])
def test_a_changed_file_is_refused(tiny: dict[str, bytes], tmp_path: Path, packed: bool) -> None:
    changed = bytearray(tiny[TRAIN[0]])
    changed[100] ^= 1
    _write(tmp_path, {**tiny, TRAIN[0]: bytes(changed)}, packed)
    with pytest.raises(DataError) as error:
        Mnist().open("train", tmp_path)

    path = tmp_path / f"{TRAIN[0]}{'.gz' * packed}"
    assert str(error.value) == (
        f"{path} is not the published file of MNIST: its md5 sum is {_md5(path.read_bytes())}, "
        f"it should be {mnist.MNIST.sums[TRAIN[0]][not packed]}; download it again"
    )


def test_files_packed_anew_are_known_by_their_content(tiny: dict[str, bytes], tmp_path: Path) -> None:
    _write(tmp_path, tiny, True)
    (tmp_path / f"{TRAIN[0]}.gz").write_bytes(gzip.compress(tiny[TRAIN[0]], 1, mtime=7))

    assert len(Mnist().open("train", tmp_path)) == 20


@pytest.mark.parametrize("spoil", [lambda content: content[:-1], lambda content: content + b"\0", lambda content: b""])
def test_plain_files_of_another_shape_are_refused(
    tiny: dict[str, bytes], tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    _write(tmp_path, {**tiny, TRAIN[0]: spoil(tiny[TRAIN[0]])}, False)
    with pytest.raises(DataError) as error:
        FashionMnist().open("train", tmp_path)

    assert str(error.value) == (
        f"{tmp_path}/{TRAIN[0]} is no IDX file of 30x4x4 bytes (a header of 16 bytes and 480 values): download it again"
    )


def test_a_damaged_gz_file_is_refused(tiny: dict[str, bytes], tmp_path: Path) -> None:
    _write(tmp_path, tiny, True)
    path = tmp_path / f"{TRAIN[0]}.gz"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(DataError) as error:
        Mnist().open("train", tmp_path)

    assert str(error.value) == (
        f"{path} cannot be unpacked (Compressed file ended before the end-of-stream marker was reached): "
        "download it again"
    )


def test_labels_beyond_nine_are_refused(
    tiny: dict[str, bytes], tmp_path: Path, idx: Callable[[np.ndarray], bytes]
) -> None:
    _write(tmp_path, {**tiny, TRAIN[1]: idx(np.full(30, 10, np.uint8))}, False)
    with pytest.raises(DataError) as error:
        FashionMnist().open("train", tmp_path)

    assert str(error.value) == f"{tmp_path}/{TRAIN[1]} holds the label 10: labels are 0 to 9; download it again"


@pytest.mark.parametrize("folder", ["/etc", "../x", "a/../../x"])
def test_a_folder_outside_the_data_root_is_refused(tmp_path: Path, folder: str) -> None:
    with pytest.raises(DataError) as error:
        Mnist(folder=folder).open("train", tmp_path)

    assert str(error.value) == (
        f'folder is "{folder}": name a place under the data root {tmp_path}, or give another root with --data-root'
    )


@pytest.mark.skipif(not (REAL / "mnist").is_dir(), reason=f"the real MNIST files are not in {REAL / 'mnist'}")
def test_the_real_mnist_has_the_study_splits() -> None:
    counts = {split: Mnist().open(split, REAL).cond.bincount() for split in ("train", "val", "test")}

    assert {split: int(count.sum()) for split, count in counts.items()} == {
        "train": 50_000,
        "val": 10_000,
        "test": 10_000,
    }
    assert (counts["train"] + counts["val"]).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert counts["test"].tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
