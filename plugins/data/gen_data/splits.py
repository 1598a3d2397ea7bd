"""Which samples belong to train, val and test: fixed by the data alone, never by the seed of a run."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gen.errors import DataError
from gen.seeds import key
from gen_data.counter import hash64

__all__ = ["hashed_split", "permuted_split", "pick"]


def permuted_split(n: int, split: str, val: float, test: float) -> Tensor:
    """The numbers of the samples of a split [M], from one fixed permutation of 0 to n - 1.

    Args:
        val, test: how many samples; below 1 a share (rounded), from 1 on a count. The rest is for training.
    """
    order = torch.argsort(hash64(key("gen-data", "split"), torch.arange(n)))
    in_val = round(n * val) if val < 1 else _count(val, "val")
    in_test = round(n * test) if test < 1 else _count(test, "test")
    return order[pick(split, n, in_val, in_test)]


def hashed_split(names: Sequence[str], split: str, val: float, test: float) -> list[int]:
    """The places of the names of a split, ordered by hash.

    A share is a threshold on the hash: files added later move no other file from one split to another, and sizes are
    met on average. A count is met exactly.
    """
    hashes = [key("gen-data", name.encode("utf-8", "surrogateescape").hex()) / 2**63 for name in names]
    order = sorted(range(len(names)), key=hashes.__getitem__)
    in_test = sum(u < test for u in hashes) if test < 1 else _count(test, "test")
    in_val = sum(u >= 1 - val for u in hashes) if val < 1 else _count(val, "val")
    return order[pick(split, len(names), in_val, in_test)]


def pick(split: str, n: int, val: int, test: int) -> slice:
    """The slice of an ordering of n samples: test first, then train, val last.

    Raises:
        DataError: no such split, or nothing left to train on.
    """
    if val + test >= n:
        raise DataError(f"val ({val}) and test ({test}) leave nothing of {n} samples to train on: make them smaller")
    slices = {"test": slice(0, test), "train": slice(test, n - val), "val": slice(n - val, n)}
    if split not in slices:
        raise DataError(f'there is no split "{split}": train, val and test are')
    return slices[split]


def _count(size: float, name: str) -> int:
    """A size as a number of samples."""
    if size != int(size):
        raise DataError(f"{name} is {size:g}: below 1 it is a share, from 1 on a whole number of samples")
    return int(size)
