"""Arrays from a file as a data set, checked value by value."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from gen.component import component, option
from gen.errors import DataError
from gen.interfaces import Dataset, Rows
from gen.rows import TensorRows
from gen.types import CondSpec, DataSpec, Domain
from gen_data.array_files import load_arrays
from gen_data.example import write_arrays
from gen_data.files import contents, inside, shown
from gen_data.splits import permuted_split

__all__ = ["Arrays"]

_DIMS = {"image": "[N, C, H, W] or [N, H, W]", "vector": "[N, D] or [N]"}


@component
class Arrays(Dataset):
    """Samples and labels from a .npz, .npy or .safetensors file; images [N, C, H, W] or [N, H, W], vectors [N, D].

    8-bit integers are scaled from 0..255 to [-1, 1] (256 levels), truth values to -1 and 1; other numbers stay as they
    are and their range is measured over the whole file, unless `range` states it. The splits are fixed.
    """

    example: ClassVar[dict[str, object]] = {"file": "example.npz", "cond": "y"}
    file: str = option(path="file", doc="the file, under the data root")
    x: str = option("x", doc="name of the array of samples in the file")
    cond: str | None = option(None, doc="name of the array of labels [N], whole numbers from 0; null: no labels")
    classes: int | None = option(None, min=1, max=1_000_000, doc="how many classes; null: the highest label plus 1")
    modality: str = option("image", choices=("image", "vector"), doc="what a sample is")
    range: tuple[float, float] | None = option(None, doc="range of the values as stored; null: measured")
    val: float = option(0.1, min=0, doc="held out for validation: below 1 a share, from 1 on a count")
    test: float = option(0.1, min=0, doc="held out for the test: below 1 a share, from 1 on a count")

    @classmethod
    def example_data(cls, root: Path) -> None:
        """Writes the files that `example` names."""
        write_arrays(root / "example.npz")

    def open(self, split: str, root: Path) -> Rows:
        path = inside(root, self.file, "file")
        if not path.is_file():
            raise DataError(f"{shown(path)} is no file; {shown(path.parent)}: {contents(path.parent)}")
        arrays = load_arrays(path, [self.x, self.cond] if self.cond is not None else [self.x])
        try:
            x, limits, levels = self._samples(arrays[0])
            labels, size = self._labels(arrays[1], len(x)) if self.cond is not None else (None, 0)
        except DataError as error:
            raise DataError(f"{shown(path)}: {error}") from error
        domain = Domain(tuple(x.shape[1:]), "image" if self.modality == "image" else "vector", limits, levels)
        spec = DataSpec.single(domain, CondSpec("class", size) if labels is not None else None)
        chosen = permuted_split(len(x), split, self.val, self.test)
        return TensorRows(spec, x[chosen], labels[chosen] if labels is not None else None)

    def _samples(self, array: np.ndarray) -> tuple[Tensor, tuple[float, float], int | None]:
        """The samples [N, *shape], the range of their values, and how many levels these have."""
        array = self._shaped(array)
        if self.range is None and array.dtype in (np.bool_, np.uint8):
            binary = array.dtype == np.bool_
            return torch.from_numpy(array * np.uint8(255) if binary else array), (-1.0, 1.0), 2 if binary else 256
        with np.errstate(over="ignore"):
            values = array.astype(np.float32)
        broken = ~np.isfinite(values.reshape(len(values), -1)).all(1)  # [N]
        if broken.any():
            raise DataError(
                f'"{self.x}" holds NaN or infinite values in {broken.sum()} of {len(values)} samples, '
                f"the first is number {broken.argmax()}"
            )
        return torch.from_numpy(values), self._limits(float(values.min()), float(values.max())), None

    def _shaped(self, array: np.ndarray) -> np.ndarray:
        """Images [N, C, H, W] or vectors [N, D], with one channel or dimension added where it was left out."""
        full = 4 if self.modality == "image" else 2
        if array.ndim not in (full, full - 1) or array.size == 0:
            raise DataError(
                f'"{self.x}" has the shape {list(array.shape)}: '
                f"{self.modality}s are {_DIMS[self.modality]}, none of them 0"
            )
        if array.ndim == full:
            if full == 4 and array.shape[3] in (1, 3, 4) and 4 < array.shape[1] == array.shape[2]:
                raise DataError(f'"{self.x}" has the shape {list(array.shape)}: channels come first, [N, C, H, W]')
            return array
        return array[:, None]

    def _limits(self, low: float, high: float) -> tuple[float, float]:
        """The range of the data: the one given, which must hold, or the one measured."""
        if self.range is not None:
            if not self.range[0] <= low <= high <= self.range[1]:
                raise DataError(
                    f'"{self.x}" holds values from {low:g} to {high:g}, beyond the range '
                    f"[{self.range[0]:g}, {self.range[1]:g}] that was given"
                )
            return self.range
        if low == high:
            raise DataError(f'"{self.x}" holds nothing but {low:g}: there is no range to measure, state range')
        return low, high

    def _labels(self, array: np.ndarray, n: int) -> tuple[Tensor, int]:
        """The labels [N] and how many classes there are."""
        if array.shape != (n,):
            raise DataError(f'"{self.cond}" has the shape {list(array.shape)}: [{n}] is needed, one label a sample')
        if array.dtype.kind not in "iu":
            raise DataError(f'"{self.cond}" holds values of the type {array.dtype}: labels are whole numbers from 0')
        size = self.classes or max(int(array.max()) + 1, 1)
        wrong = (array < 0) | (array >= size)
        if wrong.any():
            first = int(wrong.argmax())
            raise DataError(
                f'"{self.cond}" holds the label {array[first]} (sample {first}): labels are 0 to {size - 1}'
            )
        if self.classes is None and size > max(n, 1000):
            raise DataError(f'"{self.cond}" holds the label {size - 1}, for {n} samples: state classes if so meant')
        return torch.from_numpy(array.astype(np.int64)), size
