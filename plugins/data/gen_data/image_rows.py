"""Rows that read image files when they are asked for, and what happens when one cannot be read."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gen.errors import DataError
from gen.interfaces import Rows
from gen.rows import TensorRows
from gen.seeds import key
from gen.types import Batch, DataSpec
from gen_data.decode import Reader
from gen_data.files import shown
from gen_data.folder import ImageFile

__all__ = ["CachedRows", "ImageRows", "cached"]

log = logging.getLogger("gen.data")

_BAD_SHARE = 0.01
_ATTEMPTS = 100
_CHUNK = 256


class ImageRows(Rows):
    """The files of one split; `labels` [N] where there are classes.

    With `skip`, a file that cannot be read is replaced by another of the split, the same one every time, and reported
    once; above 1 % of the `total` files of the folder the run stops. Which files are bad is shared by all workers.
    """

    lazy = True

    def __init__(
        self,
        spec: DataSpec,
        folder: Path,
        files: Sequence[ImageFile],
        labels: Tensor | None,
        reader: Reader,
        *,
        skip: bool,
        total: int,
    ) -> None:
        self.spec, self.folder, self.files, self.labels = spec, folder, files, labels
        self.reader, self.skip, self.total = reader, skip, total
        self._bad = torch.zeros(len(files), dtype=torch.bool).share_memory_()

    def __len__(self) -> int:
        return len(self.files)

    @property
    def bad(self) -> list[str]:
        """The names of the files found unreadable so far, by any worker."""
        return [self.files[place].name for place in self._bad.nonzero().flatten().tolist()]

    def fetch(self, index: Tensor) -> Batch:
        read = [self._read(place) for place in index.tolist()]
        x = torch.from_numpy(np.stack([pixels for _, pixels in read]))  # [B, C, H, W], uint8
        cond = self.labels[torch.tensor([place for place, _ in read])] if self.labels is not None else None
        return Batch(x, cond, index)

    def fingerprint(self) -> str:
        reader = self.reader
        told = (reader.side, reader.channels, reader.fit, *([reader.panels] if reader.panels > 1 else []))
        digest = hashlib.sha256(repr(told).encode())
        for file in self.files:
            digest.update(f"{file.name}\0{file.size}\0".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def name(self, number: int) -> str:
        return self.files[number].name.rpartition(".")[0]

    def _read(self, place: int) -> tuple[int, np.ndarray]:
        """The pixels of a sample, or of its replacement, and the place they come from."""
        for candidate in self._candidates(place):
            if self._bad[candidate]:
                continue
            try:
                return candidate, self.reader.read(self.folder / self.files[candidate].name)
            except DataError as error:
                if not self.skip:
                    raise
                self._note(candidate, error)
        raise DataError(f"{shown(self.folder)}: no readable image was found to replace {self._name(place)}")

    def _candidates(self, place: int) -> Iterator[int]:
        """The place itself, then others in an order that depends on the file's name alone."""
        yield place
        name = self.files[place].name.encode("utf-8", "surrogateescape").hex()
        for attempt in range(_ATTEMPTS):
            yield key("replace", name, attempt) % len(self)

    def _note(self, place: int, error: DataError) -> None:
        self._bad[place] = True
        log.warning("%s: skipped, another image takes its place", error)
        bad = self.bad
        if len(bad) > _BAD_SHARE * self.total:
            raise DataError(
                f"{len(bad)} of {self.total} images in {shown(self.folder)} cannot be read, more than 1 %: "
                f"{', '.join(shown(name) for name in bad[:10])}; mend or remove them"
            ) from error

    def _name(self, place: int) -> str:
        return shown(self.files[place].name)


class CachedRows(TensorRows):
    """Image files decoded into memory, uint8; they answer for the identity of the files."""

    def __init__(self, rows: ImageRows, x: Tensor, cond: Tensor | None) -> None:
        super().__init__(rows.spec, x, cond)
        self.bad = rows.bad
        self._fingerprint = rows.fingerprint()
        self._name = rows.name

    def fingerprint(self) -> str:
        return self._fingerprint

    def name(self, number: int) -> str:
        return self._name(number)


def cached(rows: ImageRows) -> CachedRows:
    """Reads every file now."""
    parts = [rows.fetch(index) for index in torch.arange(len(rows)).split(_CHUNK)]
    conds = [part.cond for part in parts if part.cond is not None]
    return CachedRows(rows, torch.cat([part.x for part in parts]), torch.cat(conds) if conds else None)
