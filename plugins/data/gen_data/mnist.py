"""MNIST and Fashion-MNIST from their IDX files, plain or .gz, verified before use.

LeCun, Cortes and Burges, "The MNIST database of handwritten digits"; Xiao, Rasul and Vollgraf 2017, "Fashion-MNIST"
(arXiv:1708.07747). Splits as in most studies: 50,000 for training, the last 10,000 of the 60,000 for validation, and
the 10,000 of the test.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import attrs
import numpy as np
import torch

from gen.component import component, option
from gen.errors import DataError
from gen.interfaces import Dataset, Rows
from gen.rows import TensorRows
from gen.types import CondSpec, DataSpec, Domain
from gen_data.example import write_idx
from gen_data.files import contents, inside, shown
from gen_data.idx import parse, unzip

__all__ = ["FashionMnist", "Mnist"]


@attrs.frozen
class Collection:
    """Four IDX files as published: `sums` gives the md5 sums a file may have, as .gz or (where known) plain.

    A .gz file that was packed anew has the sum of its content checked; where that is unknown, it is refused. Plain
    files without a known sum have their shape and their labels checked.
    """

    title: str
    folder: str
    source: str
    sums: Mapping[str, tuple[str, str | None]]
    train: int = 60_000
    test: int = 10_000
    val: int = 10_000
    side: int = 28


TRAIN = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
TEST = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")

MNIST = Collection(
    title="MNIST",
    folder="mnist",
    source='LeCun, Cortes and Burges, "The MNIST database of handwritten digits"',
    sums={
        TRAIN[0]: ("f68b3c2dcbeaaa9fbdd348bbdeb94873", "6bbc9ace898e44ae57da46a324031adb"),
        TRAIN[1]: ("d53e105ee54ea40749a09fcbcd1e9432", "a25bea736e30d166cdddb491f175f624"),
        TEST[0]: ("9fb629c4189551a2d022fa330f9573f3", "2646ac647ad5339dbf082846283269ea"),
        TEST[1]: ("ec29112dd5afa0611ce80d1b7f02629c", "27ae3e4e09519cfbb04c329615203637"),
    },
)
FASHION = Collection(
    title="Fashion-MNIST",
    folder="fashion-mnist",
    source="Zalando Research, github.com/zalandoresearch/fashion-mnist, folder data/fashion",
    sums={
        TRAIN[0]: ("8d4fb7e6c68d591d4c3dfef9ec88bf0d", None),
        TRAIN[1]: ("25c81989df183df01b3e8a0aad5dffbe", None),
        TEST[0]: ("bef4ecab320f06d8554ea6380940ec79", None),
        TEST[1]: ("bb300cfdad3c16e7a12a480ee83cd310", None),
    },
)


@component
class Mnist(Dataset):
    """MNIST: 70,000 handwritten digits, grey 28x28, with labels; four IDX files from the data root.

    Looked for in `folder` where it is given, else in mnist/ under the data root and in the data root itself.
    """

    traits: ClassVar[dict[str, object]] = {"files": "the four published files of MNIST, known by their md5 sums"}
    folder: str | None = option(None, path="folder", doc="where the four files lie, under the data root")
    limit: int | None = option(None, min=1, max=50_000, doc="use only so many of the 50,000 training samples")

    def open(self, split: str, root: Path) -> Rows:
        return _open(MNIST, split, root, self.folder, self.limit)


@component
class FashionMnist(Dataset):
    """Fashion-MNIST: 70,000 photos of clothes in 10 classes, grey 28x28; four IDX files from the data root.

    Looked for in `folder` where it is given, else in fashion-mnist/ under the data root and in the data root itself.
    """

    example: ClassVar[dict[str, object]] = {"limit": 100}
    folder: str | None = option(None, path="folder", doc="where the four files lie, under the data root")
    limit: int | None = option(None, min=1, max=50_000, doc="use only so many of the 50,000 training samples")

    @classmethod
    def example_data(cls, root: Path) -> None:
        """Writes plain files of the published shape: their sums are unknown, so any content will do."""
        for number, (names, count) in enumerate(((TRAIN, FASHION.train), (TEST, FASHION.test))):
            write_idx(root / FASHION.folder, names, count, FASHION.side, mark=number)

    def open(self, split: str, root: Path) -> Rows:
        return _open(FASHION, split, root, self.folder, self.limit)


def _open(which: Collection, split: str, root: Path, folder: str | None, limit: int | None) -> Rows:
    cut = which.train - which.val
    parts = {
        "train": (TRAIN, which.train, slice(0, cut if limit is None else min(limit, cut))),
        "val": (TRAIN, which.train, slice(cut, which.train)),
        "test": (TEST, which.test, slice(0, which.test)),
    }
    if split not in parts:
        raise DataError(f'there is no split "{split}": train, val and test are')
    names, count, chosen = parts[split]
    folders = [root / which.folder, root] if folder is None else [inside(root, folder, "folder")]
    images, labels = _find(which, names, folders)
    x = _read(which, images, (count, which.side, which.side))[chosen].copy()  # [N, H, W]
    cond = _read(which, labels, (count,))  # [N]
    if cond.max() > 9:
        raise DataError(f"{shown(labels)} holds the label {cond.max()}: labels are 0 to 9; download it again")
    domain = Domain((1, which.side, which.side), levels=256)
    spec = DataSpec.single(domain, CondSpec("class", 10))
    return TensorRows(spec, torch.from_numpy(x)[:, None], torch.from_numpy(cond[chosen]).long())


def _find(which: Collection, names: tuple[str, ...], folders: list[Path]) -> list[Path]:
    """The files of these names in the first folder that holds them all, .gz or plain."""
    for folder in folders:
        found = [
            next((path for path in (folder / f"{name}.gz", folder / name) if path.is_file()), None) for name in names
        ]
        if all(path is not None for path in found):
            return [path for path in found if path is not None]
    looked = "\n".join(f"  {shown(folder)}: {contents(folder)}" for folder in folders)
    everything = ", ".join(f"{name}.gz" for name in which.sums)
    raise DataError(
        f"{which.title} needs {' and '.join(names)} (plain or .gz); looked in\n{looked}\n"
        f"get the four files {everything}\n"
        f"from {which.source},\n"
        f"put them into {shown(folders[0])}, or say with --data-root where else to look"
    )


def _read(which: Collection, path: Path, dims: tuple[int, ...]) -> np.ndarray:
    """The array of a file [*dims], verified."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{shown(path)} cannot be read ({error.strerror})") from error
    packed = path.suffix == ".gz"
    content = unzip(raw, 4 + 4 * len(dims) + int(np.prod(dims)), path) if packed else raw
    zipped, plain = which.sums[path.name.removesuffix(".gz")]
    published = packed and _md5(raw) == zipped
    if not published and (packed or plain is not None) and _md5(content) != plain:
        raise DataError(
            f"{shown(path)} is not the published file of {which.title}: its md5 sum is {_md5(raw)}, "
            f"it should be {zipped if packed else plain}; download it again"
        )
    return parse(content, dims, path)


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
