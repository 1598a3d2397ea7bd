"""What data sets and transforms promise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from gen.component import interface, option, slot
from gen.errors import DataError
from gen.types import Batch, DataSpec, Domain

__all__ = ["Dataset", "Rows", "Transform"]


class Rows(ABC):
    """One split of a data set, opened: samples by number.

    `fetch` gives whole micro-batches. `lazy` rows read files and may do so in worker processes; others lie in memory.
    uint8 values 0 to 255 stand for the domain's range and are converted on the device.

    A number below `len` is a sample; numbers from there on may stand for further ones (other pairs of the same samples,
    say), which only `order` brings up.
    """

    spec: DataSpec
    lazy: ClassVar[bool] = False

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def fetch(self, index: Tensor) -> Batch:
        """The samples with these numbers [B], in this order."""

    def order(self, rng: torch.Generator) -> Tensor:
        """The numbers [N] of the samples of one epoch, N = len, in the order in which training meets them."""
        return torch.randperm(len(self), generator=rng)

    def name(self, number: int) -> str:
        """What to call a sample, as a relative path without ending: files made from it are called so."""
        return f"{number:05d}"

    @abstractmethod
    def fingerprint(self) -> str:
        """A hash of the content (or, for files, of names and sizes): a run records it, a resume compares it."""


@interface
class Transform(ABC):
    """Changes samples: [B, *shape] → [B, *shape'], float in the domain's range, vectorised over the batch.

    A `random` transform is drawn anew each time from `rng`; the others are functions of the sample and its number and
    may be applied once, before training. One that `augments` belongs to training: elsewhere it gets no `rng` and
    takes its unvarying form (no flip, the middle crop).
    """

    kind: ClassVar[str] = "transform"
    random: ClassVar[bool] = False
    augments: ClassVar[bool] = False

    def domain(self, domain: Domain) -> Domain:
        """What the transform makes of a domain; raises `ShapeError` where it cannot serve it."""
        return domain

    @abstractmethod
    def __call__(self, x: Tensor, index: Tensor, rng: torch.Generator | None = None) -> Tensor: ...


@interface
class Dataset(ABC):
    """Opens splits of real data. The recipe's `data` section is one of these.

    For whoever checks it, one that reads files has a class method `example_data(root: Path) -> None`, which writes a
    tiny valid data set under an empty root, for the options of its `example`. One whose files must be the published
    ones declares them as `traits["files"]` instead.
    """

    kind: ClassVar[str] = "dataset"
    batch: int = option(128, min=1, max=1_048_576, doc="samples a step uses, over all processes")
    workers: int = option(0, min=0, max=256, doc="processes that read files (data in memory need none)")
    transforms: tuple[Transform, ...] = slot(default=(), doc="applied in this order")

    @abstractmethod
    def open(self, split: str, root: Path) -> Rows:
        """The split "train", "val" or "test" under the data root; raises `DataError` naming the file."""

    def open_folder(self, folder: Path, domain: str) -> Rows:
        """Files of the user's own, read as this data set reads samples of `domain`: rows of that single domain.

        Raises:
            DataError: naming the file, or: this data set reads no folders.
        """
        raise DataError(f"{type(self).__name__} is no data set of files: it cannot read {folder}")
