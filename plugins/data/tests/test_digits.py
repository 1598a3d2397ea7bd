"""The bundled digits: the right ones, in the right range, split once and for all."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gen.errors import DataError
from gen_data import digits
from gen_data.digits import Digits
from gen_data.splits import permuted_split

NOWHERE = Path("no data root is needed")


def test_the_digits_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    reference = load_digits()
    for split in ("train", "val", "test"):
        rows = Digits().open(split, NOWHERE)
        chosen = permuted_split(1797, split, 250, 250)
        x, cond, _ = rows.fetch(torch.arange(len(rows)))

        assert torch.equal((x[:, 0] + 1) * 8, torch.from_numpy(reference.images)[chosen].float())
        assert torch.equal(cond, torch.from_numpy(reference.target)[chosen])


def test_sizes_range_and_labels() -> None:
    sizes = {}
    for split in ("train", "val", "test"):
        rows = Digits().open(split, NOWHERE)
        x, cond, _ = rows.fetch(torch.arange(len(rows)))
        sizes[split] = len(rows)

        assert x.dtype == torch.float32
        assert x.shape[1:] == rows.spec.shape == (1, 8, 8)
        assert (x.min(), x.max()) == rows.spec.domain.range == (-1, 1)
        assert len(x.unique()) == rows.spec.domain.levels == 17
        assert cond.unique().tolist() == list(range(rows.spec.cond.size))

    assert sizes == {"train": 1297, "val": 250, "test": 250}


def test_held_out_sizes_are_options() -> None:
    assert len(Digits(val=100, test=50).open("train", NOWHERE)) == 1647


def test_a_missing_file_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digits.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError) as error:
        Digits().open("train", NOWHERE)

    assert str(error.value) == (
        "the digits of scikit-learn are not at sklearn/datasets/data/digits.csv.gz: "
        "reinstall it (pip install scikit-learn)"
    )
