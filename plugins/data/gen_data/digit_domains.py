"""The bundled digits in two looks: two domains whose true correspondence is known."""

from __future__ import annotations

import colorsys
from pathlib import Path

import torch
from torch import Tensor

from gen.component import component, option
from gen.interfaces import Dataset, Rows
from gen.rows import TensorRows
from gen.types import DataSpec, Domain
from gen_data.digits import Digits
from gen_data.unpaired_rows import UnpairedRows

__all__ = ["DigitDomains"]


@component
class DigitDomains(Dataset):
    """The 8x8 digits as they are (domain a), and inverted or in the colour of their class (domain b).

    For training a and b are different digits, pairs drawn anew at every epoch; with `paired`, they are the same ones.
    Held-out samples are pairs either way, so that a translation can be compared with the truth.
    """

    look: str = option("inverted", choices=("inverted", "coloured"), doc="of domain b: dark on light, or ten hues")
    paired: bool = option(False, doc="pairs for training too")
    val: int = option(250, min=1, max=500, doc="samples held out for validation")
    test: int = option(250, min=1, max=500, doc="samples held out for the test")

    def open(self, split: str, root: Path) -> Rows:
        rows = Digits(val=self.val, test=self.test).open(split, root)
        digits, labels, _ = rows.fetch(torch.arange(len(rows)))  # [N, 1, 8, 8], [N]
        looks = {"a": digits, "b": -digits if self.look == "inverted" else _coloured(digits, labels)}
        domains = {name: Domain((x.shape[1], 8, 8), levels=17) for name, x in looks.items()}
        if split != "train" or self.paired:
            return TensorRows(DataSpec(domains), looks)
        halves = {"a": slice(0, None, 2), "b": slice(1, None, 2)}
        return UnpairedRows({n: TensorRows(DataSpec.single(domains[n]), looks[n][halves[n]]) for n in looks})


def _coloured(digits: Tensor, labels: Tensor) -> Tensor:
    """[N, 1, 8, 8] → [N, 3, 8, 8]: the ink in one of ten hues, on black."""
    hues = torch.tensor([colorsys.hsv_to_rgb(label / 10, 1.0, 1.0) for label in range(10)])  # [10, 3]
    ink = hues[labels].view(-1, 3, 1, 1)
    return (digits + 1) * ink - 1
