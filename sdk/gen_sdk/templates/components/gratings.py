"""A data set: opens the splits "train", "val" and "test".

Gratings made here, so nothing is downloaded: waves of one length across a square, at an angle that is the label and a
phase of its own. Shapes: N samples, S side.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor

from gen.component import component, option
from gen.errors import DataError
from gen.interfaces import Dataset, Rows
from gen.rows import TensorRows
from gen.seeds import generator
from gen.types import CondSpec, DataSpec, Domain

__all__ = ["Gratings"]


@component
class Gratings(Dataset):
    """Waves across a square, at one of several angles: the label is the angle, the phase is drawn."""

    side: int = option(8, min=2, max=1024, doc="height and width in pixels, S")
    angles: int = option(4, min=1, max=180, doc="classes: angles spread evenly over half a turn")
    length: float = option(4.0, above=0, max=1e6, doc="length of a wave in pixels")
    size: int = option(2_000, min=1, max=1_000_000, doc="training samples; a fifth of them for each held-out split")
    seed: int = option(0, min=0, doc="of the draws; the seed of the run has no part in them")

    def open(self, split: str, root: Path) -> Rows:
        """`root` is the folder of data files, for data sets that read some; the same options give the same samples."""
        sizes = {"train": self.size, "val": -(-self.size // 5), "test": -(-self.size // 5)}
        if split not in sizes:
            raise DataError(f'there is no split "{split}": train, val and test are')
        rng = generator("gratings", self.seed, split)
        label = torch.randint(self.angles, (sizes[split],), generator=rng)  # [N]
        phase = 2 * math.pi * torch.rand(sizes[split], generator=rng)
        spec = DataSpec.single(Domain((1, self.side, self.side)), CondSpec("class", self.angles))
        return TensorRows(spec, self.draw(label, phase), label)

    def draw(self, label: Tensor, phase: Tensor) -> Tensor:
        """The images [N, 1, S, S] in [-1, 1] of these labels and phases [N]."""
        angle = math.pi * label / self.angles
        place = torch.arange(self.side, dtype=torch.float32)
        across = angle.cos()[:, None, None] * place + angle.sin()[:, None, None] * place[:, None]  # [N, S, S]
        return (2 * math.pi / self.length * across + phase[:, None, None]).sin()[:, None]
