"""From a data set to batches: splits with their transforms, the order of training, exact evaluation.

The order is a function of (seed, epoch): a run resumes by a counter. The global batch is cut into numbered
micro-batches; a process works through those whose number is its own, whatever the number of processes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import torch
from torch import Tensor

from gen.errors import DataError, GenError
from gen.interfaces import Dataset, Rows, Transform
from gen.rows import TensorRows
from gen.seeds import generator, key
from gen.types import Batch, DataSpec, Domain

__all__ = ["Split", "Stream", "open_folder", "open_split"]

_CHUNK = 4096
_PRECOMPUTE_LIMIT = 2 << 30  # bytes: above this, unvarying transforms run on each batch instead of once


@attrs.frozen
class Split:
    """One split, opened: raw rows, the transforms still to run on every batch, and what comes out of them.

    Augmentation happens only where `training`; elsewhere such transforms take their unvarying form.
    """

    rows: Rows
    transforms: tuple[Transform, ...]
    spec: DataSpec
    training: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, index: Tensor, rng: torch.Generator | None, device: torch.device) -> Batch:
        """The samples numbered `index` [B] on the device, in the domain's range, transformed."""
        return self.finish(self.rows.fetch(index), rng, device)

    def finish(self, raw: Batch, rng: torch.Generator | None, device: torch.device) -> Batch:
        """Moves, converts and transforms what `rows.fetch` gave.

        Of several domains each meets the same random draws, so that a pair is mirrored or cropped alike.
        """
        cond = raw.cond.to(device, non_blocking=True) if raw.cond is not None else None
        domains = self.rows.spec.domains

        def one(x: Tensor, domain: Domain) -> Tensor:
            x = to_range(x.to(device, non_blocking=True), domain)  # [B, *shape]
            for transform in self.transforms:
                x = transform(x, raw.index, None if transform.augments and not self.training else rng)
            return x

        if isinstance(raw.x, Tensor):
            return Batch(one(raw.x, next(iter(domains.values()))), cond, raw.index)
        drawn = rng.get_state() if rng is not None else None
        made = {}
        for name, x in raw.x.items():
            if rng is not None and drawn is not None:
                rng.set_state(drawn)
            made[name] = one(x, domains[name])
        return Batch(made, cond, raw.index)

    def batches(self, size: int, device: torch.device, *, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """Every sample once, in order; rank r of `world` takes every world-th batch. The last one may be short."""
        for number, start in enumerate(range(0, len(self), size)):
            if number % world == rank:
                index = torch.arange(start, min(start + size, len(self)))
                yield self.batch(index, generator("evaluate", start, device=device), device)

    def first(self, n: int, device: torch.device) -> Batch:
        """The first n samples (again from the start where there are fewer)."""
        return self.batch(torch.arange(n) % len(self), generator("evaluate", 0, device=device), device)


def to_range(x: Tensor, domain: Domain) -> Tensor:
    """uint8 0 to 255 → float32 in the domain's range; floats pass as they are."""
    if x.dtype != torch.uint8:
        return x
    low, high = domain.range
    return x.to(torch.float32).mul_((high - low) / 255).add_(low)


def open_split(dataset: Dataset, split: str, root: Path) -> Split:
    """Opens a split and works out what its transforms make of the data.

    Transforms that never vary, before the first random one, run once over data in memory.
    """
    rows = dataset.open(split, root)
    if len(rows) == 0:
        raise DataError(f"the {split} split is empty")
    return _prepared(rows, dataset, split == "train")


def open_folder(dataset: Dataset, folder: Path, domain: str) -> Split:
    """Files of the user's own as samples of one domain, prepared as the data set prepares held-out samples.

    Raises:
        DataError: the data set reads no folders, or this one holds nothing to read.
    """
    return _prepared(dataset.open_folder(folder, domain), dataset, False)


def _prepared(rows: Rows, dataset: Dataset, training: bool) -> Split:
    domains = dict(rows.spec.domains)
    for transform in dataset.transforms:
        domains = {name: transform.domain(domain) for name, domain in domains.items()}
    spec = DataSpec(domains, rows.spec.cond)
    steady = next((i for i, t in enumerate(dataset.transforms) if t.random), len(dataset.transforms))
    bytes_needed = 4 * len(rows) * sum(torch.Size(domain.shape).numel() for domain in domains.values())
    redrawn = type(rows).order is not Rows.order  # its numbers go beyond `len`: there is no table of them to keep
    if rows.lazy or redrawn or steady == 0 or bytes_needed > _PRECOMPUTE_LIMIT:
        return Split(rows, dataset.transforms, spec, training)
    return Split(_once(rows, dataset.transforms[:steady]), dataset.transforms[steady:], spec, training)


def _once(rows: Rows, transforms: tuple[Transform, ...]) -> Rows:
    domains = dict(rows.spec.domains)
    for transform in transforms:
        domains = {name: transform.domain(domain) for name, domain in domains.items()}
    split = Split(rows, transforms, DataSpec(domains, rows.spec.cond))
    parts = list(split.batches(_CHUNK, torch.device("cpu")))
    if isinstance(parts[0].x, Tensor):
        x: Any = torch.cat([part.x for part in parts])  # [N, *shape]
    else:
        x = {name: torch.cat([part.x[name] for part in parts]) for name in parts[0].x}
    conds = [part.cond for part in parts if part.cond is not None]
    made = TensorRows(split.spec, x, torch.cat(conds) if conds else None)
    return _Remembering(made, rows.fingerprint)


class _Remembering(TensorRows):
    """Precomputed rows that answer for the identity of the raw ones."""

    def __init__(self, made: TensorRows, fingerprint: Callable[[], str]) -> None:
        super().__init__(made.spec, made.x, made.cond)
        self._fingerprint = fingerprint

    def fingerprint(self) -> str:
        return self._fingerprint()


class Stream:
    """The training data as global batches numbered 0, 1, 2, …, each cut into `pieces` micro-batches.

    Args:
        pieces: micro-batches per global batch; divides `batch`, and is divided by `world`.
    """

    def __init__(
        self, split: Split, *, batch: int, pieces: int, seed: int, device: torch.device, rank: int = 0, world: int = 1
    ) -> None:
        if len(split) < batch:
            raise DataError(f"data.batch is {batch}, but the training split holds {len(split)} samples: lower it")
        assert batch % pieces == 0, "micro-batches are of one size"
        assert pieces % world == 0, "every process works through as many micro-batches"
        self.split, self.batch, self.pieces, self.seed, self.device = split, batch, pieces, seed, device
        self.numbers = range(rank, pieces, world)
        self.per_epoch = len(split) // batch
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.int64)

    def order(self, epoch: int) -> Tensor:
        """The order of the samples [N] in an epoch: a function of (seed, epoch)."""
        if epoch != self._epoch:
            self._order = self.split.rows.order(generator(self.seed, "order", epoch))
            self._epoch = epoch
        return self._order

    def index(self, cursor: int, number: int) -> Tensor:
        """The numbers of the samples in micro-batch `number` of global batch `cursor`."""
        epoch, position = divmod(cursor, self.per_epoch)
        size = self.batch // self.pieces
        start = position * self.batch + number * size
        return self.order(epoch)[start : start + size]

    def rng(self, cursor: int, number: int) -> torch.Generator | None:
        """The generator of the random transforms of one micro-batch; none where nothing is drawn."""
        if not self.split.transforms:
            return None
        return generator(self.seed, "transforms", cursor, number, device=self.device)

    def get(self, cursor: int, number: int) -> Batch:
        """Micro-batch `number` of global batch `cursor`."""
        return self.split.batch(self.index(cursor, number), self.rng(cursor, number), self.device)

    @contextmanager
    def reader(self, start: int, workers: int) -> Iterator[Callable[[int, int], Batch]]:
        """`get`, or where rows are lazy and workers are wanted, the same batches prefetched from `start` on.

        The workers end with the block: they ignore signals, so an exit that waited for them would wait for ever.
        """
        if not (self.split.rows.lazy and workers):
            yield self.get
            return
        batches = self._prefetched(start, workers)

        def read(cursor: int, number: int) -> Batch:
            place, raw = next(batches)
            if isinstance(raw, GenError):
                raise raw
            assert tuple(place) == (cursor, number), f"workers delivered {place}, the loop asked for {(cursor, number)}"
            return self.split.finish(raw, self.rng(cursor, number), self.device)

        try:
            yield read
        finally:
            batches._shutdown_workers()

    def _prefetched(self, start: int, workers: int) -> Any:
        loader: Any = torch.utils.data.DataLoader(
            _Fetch(self.split.rows),
            sampler=_Places(self, start),
            batch_size=None,
            collate_fn=_same,
            num_workers=workers,
            pin_memory=self.device.type == "cuda",
            timeout=300,
            multiprocessing_context="fork" if sys.platform == "linux" else None,  # a --plugin file is in memory alone
            worker_init_fn=_ignore_signals,
            generator=torch.Generator().manual_seed(key(self.seed, "workers")),
        )
        return iter(loader)


@attrs.frozen
class _Fetch(torch.utils.data.Dataset[Any]):
    """Runs in a worker process: reads the raw samples of one micro-batch."""

    rows: Rows

    def __getitem__(self, place: Any) -> tuple[tuple[int, int], Batch | GenError]:
        """A user's mistake crosses the process border as a value: raised, it would come with a worker's traceback."""
        cursor, number, index = place
        try:
            return (cursor, number), self.rows.fetch(index)
        except GenError as error:
            return (cursor, number), error


@attrs.frozen
class _Places(torch.utils.data.Sampler[Any]):
    """The micro-batches of this process, from a cursor on, without end."""

    stream: Stream
    start: int

    def __iter__(self) -> Iterator[tuple[int, int, Tensor]]:
        cursor = self.start
        while True:
            for number in self.stream.numbers:
                yield cursor, number, self.stream.index(cursor, number)
            cursor += 1


def _same(sample: Any) -> Any:
    """What a worker read, as it is; torch's own conversion would turn tuples into lists."""
    return sample


def _ignore_signals(_: int) -> None:
    """Ctrl-C and SIGTERM reach the whole process group; only the main process decides what they mean."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
