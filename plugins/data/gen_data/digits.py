"""The digits that come with scikit-learn: real data without a download."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import torch

from gen.component import component, option
from gen.errors import DataError
from gen.interfaces import Dataset, Rows
from gen.rows import TensorRows
from gen.types import CondSpec, DataSpec, Domain
from gen_data.splits import permuted_split

__all__ = ["Digits"]


@component
class Digits(Dataset):
    """1,797 real handwritten digits of 8x8 pixels, with labels; offline (Alpaydin and Kaynak 1998, UCI).

    Grey, 17 levels (0 to 16) scaled to [-1, 1]. The splits are fixed: 1,297 for training, 250 and 250 held out.
    """

    val: int = option(250, min=1, max=1000, doc="samples held out for validation")
    test: int = option(250, min=1, max=1000, doc="samples held out for the test")

    def open(self, split: str, root: Path) -> Rows:
        table = np.loadtxt(_file(), delimiter=",", dtype=np.float32)  # [N, 65]: 64 pixels 0 to 16, the label
        chosen = permuted_split(len(table), split, self.val, self.test)
        x = torch.from_numpy(table[:, :64]).view(-1, 1, 8, 8)[chosen] / 8 - 1  # [M, 1, 8, 8], exact in float32
        labels = torch.from_numpy(table[:, 64])[chosen].long()  # [M]
        return TensorRows(DataSpec.single(Domain((1, 8, 8), levels=17), CondSpec("class", 10)), x, labels)


def _file() -> Path:
    """Where scikit-learn keeps the digits: importing it would cost 1.5 s, reading the file takes 20 ms."""
    spec = importlib.util.find_spec("sklearn")
    places = spec.submodule_search_locations if spec is not None else None
    path = Path(next(iter(places or ["sklearn"]))) / "datasets" / "data" / "digits.csv.gz"
    if not path.is_file():
        raise DataError(f"the digits of scikit-learn are not at {path}: reinstall it (pip install scikit-learn)")
    return path
