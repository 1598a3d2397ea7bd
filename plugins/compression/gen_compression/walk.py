"""The walk through samples that both ends make: the same batches, threads and steps, in `Model.code` itself.

Batches follow one another in one code; the last may be short. A model that is told labels has them coded first in each
batch, all labels as likely. Shapes: B samples, N values of a sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from gen.interfaces import Model
from gen_compression.coder import Reader, Writer

__all__ = ["classes", "encode", "read"]


def classes(model: Model) -> int | None:
    """How many labels a conditional model knows; None for one that is told nothing."""
    spec = model.data.cond
    told = spec is not None and spec.kind == "class" and getattr(model, "conditional", False)
    return spec.size if told and spec is not None else None


def encode(
    model: Model, x: Tensor, cond: Tensor | None, *, batch: int, threads: int, terms: Mapping[str, int]
) -> tuple[Writer, Tensor]:
    """The code of samples x [B, *shape], and their symbols [B, N] int64.

    Args:
        cond: labels [B] of a conditional model.
        terms: what `model.code_terms` says of all samples together.
    """
    coder: Any = model
    known, labels = coder.symbols(x, **terms), cond if classes(model) is not None else None
    writer = Writer()
    for start in range(0, len(x), batch):
        part = known[start : start + batch]
        columns = iter(part.unbind(1))

        def push(chances: Tensor, columns: Iterator[Tensor] = columns) -> Tensor:
            symbols = next(columns)
            writer.push(chances, symbols)
            return symbols

        told = None
        if labels is not None:
            told = labels[start : start + batch]
            writer.push(_uniform(len(told), classes(model)), told)
        _step(coder, len(part), push, told, threads, terms)
    return writer, known


def read(
    model: Model, payload: bytes, count: int, *, batch: int, threads: int, terms: Mapping[str, int]
) -> tuple[Tensor, Tensor]:
    """The samples x [count, *shape] and symbols [count, N] that a code stands for.

    Raises:
        CheckpointError: no model that took these steps wrote it.
    """
    coder: Any = model
    reader, samples, symbols = Reader(payload), [], []
    for start in range(0, count, batch):
        n = min(batch, count - start)
        picked: list[Tensor] = []

        def pull(chances: Tensor, picked: list[Tensor] = picked) -> Tensor:
            picked.append(reader.read(chances))
            return picked[-1]

        told = None if classes(model) is None else reader.read(_uniform(n, classes(model)))
        samples.append(_step(coder, n, pull, told, threads, terms))
        symbols.append(torch.stack(picked, 1))
    return torch.cat(samples), torch.cat(symbols)


def _step(
    model: Any,
    n: int,
    choose: Callable[[Tensor], Tensor],
    cond: Tensor | None,
    threads: int,
    terms: Mapping[str, int],
) -> Tensor:
    with _alike(threads):
        x: Tensor = model.code(n, choose, cond, **terms)
    return x


def _uniform(n: int, size: int | None) -> Tensor:
    assert size is not None, "labels are coded for conditional models"
    return torch.full((n, size), 1 / size, dtype=torch.float64)


@contextmanager
def _alike(threads: int) -> Iterator[None]:
    """As many threads, and deterministic operations: sums of floats depend on both."""
    before, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with torch.no_grad():
            yield
    finally:
        torch.set_num_threads(before)
        torch.use_deterministic_algorithms(strict)
