"""What a data set promises: splits that share no sample, stay as they are, and hold what the spec says.

A data set that reads files may have a class method `example_data(root)` that writes a tiny valid one under a root, for
the options of its `example`; without it its files are not here, and there is nothing to look at.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gen.data import to_range
from gen.errors import DataError, GenError
from gen.interfaces import Rows
from gen_sdk.checks.check import Failure, check, expect
from gen_sdk.checks.kinds.probing import expect_equal, expect_shape, generator, seeded, undisturbed
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS"]

KINDS = ("dataset",)
SPLITS = ("train", "val", "test")


@contextmanager
def _root(subject: Subject) -> Iterator[Path]:
    """A data root with the example's files in it, if the data set reads any."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write = getattr(subject.cls, "example_data", None)
        if write is not None:
            write(root)
        yield root


@contextmanager
def _opened(subject: Subject) -> Iterator[dict[str, Rows]]:
    """The three splits."""
    with _root(subject) as root:
        dataset = subject.make()
        try:
            yield {split: dataset.open(split, root) for split in SPLITS}
        except DataError as error:
            if not hasattr(subject.cls, "example_data"):
                raise  # the kit says that its files are not here
            raise Failure(f"what example_data wrote is refused: {_head(error)}") from error


def _head(error: Exception) -> str:
    return str(error).splitlines()[0][:120]


def _parts(x: Any) -> dict[str, Tensor]:
    return {"x": x} if isinstance(x, Tensor) else dict(x)


def _everything(rows: Rows, most: int = 2048) -> Any:
    return rows.fetch(torch.arange(min(len(rows), most)))


@check(
    tier="bronze", kinds=KINDS, hint="fetch gives [B, *shape] per domain in the spec's range, labels int64 below size"
)
def samples_are_as_the_spec_says(subject: Subject) -> None:
    """Samples have their domain's shape, lie in its range, on its levels; labels are whole numbers below size."""
    with _opened(subject) as splits:
        for name, rows in splits.items():
            expect(len(rows) > 0, f"the {name} split is empty")
            batch = _everything(rows)
            parts = _parts(batch.x)
            expect(
                len(parts) == len(rows.spec.domains), f"{len(parts)} domains come, the spec says {rows.spec.domains}"
            )
            for domain, x in zip(rows.spec.domains.values(), parts.values(), strict=True):
                expect_shape(x, (len(batch.index), *domain.shape), f"samples of {name}")
                low, high = domain.range
                x = to_range(x, domain).double()
                inside = bool((x >= low - 1e-5).all()) and bool((x <= high + 1e-5).all())
                expect(inside, f"values of {name} run from {x.min():.4g} to {x.max():.4g}, not in [{low:g}, {high:g}]")
                if domain.levels is not None:
                    steps = (x - low) / (high - low) * (domain.levels - 1)
                    expect(
                        bool(((steps - steps.round()).abs() < 1e-3).all()), f"values of {name} lie between the levels"
                    )
            cond = rows.spec.cond
            expect(
                (cond is None) == (batch.cond is None), "labels come where the spec has none, or the other way round"
            )
            if cond is not None and cond.kind == "class":
                expect(batch.cond.dtype == torch.int64, f"labels are {batch.cond.dtype}, not int64")
                expect_shape(batch.cond, (len(batch.index),), "labels")
                fits = bool((batch.cond >= 0).all()) and bool((batch.cond < cond.size).all())
                expect(fits, f"labels run from {batch.cond.min()} to {batch.cond.max()}; there are {cond.size} classes")


@check(tier="bronze", kinds=KINDS, hint="fetch answers for the numbers it is handed, in their order, repeats included")
def fetch_follows_its_numbers(subject: Subject) -> None:
    """fetch gives the samples with these numbers in this order, the same on every call, and leaves generators alone."""
    with _opened(subject) as splits:
        rows = splits["train"]
        last = len(rows) - 1
        with undisturbed("fetch"):
            whole, some = _everything(rows), rows.fetch(torch.tensor([last, 0, min(1, last), 0]))
        expect_equal(some.index, torch.tensor([last, 0, min(1, last), 0]), "batch.index")
        for number, x in enumerate(_parts(some.x).values()):
            every = list(_parts(whole.x).values())[number]
            expect_equal(x[1], every[0], "sample 0, asked for second")
            expect_equal(x[3], x[1], "sample 0, asked for twice")
            expect_equal(x[2], every[min(1, last)], "sample 1, asked for third")
            with seeded(9):
                again = list(_parts(_everything(rows).x).values())[number]
            expect_equal(again, every, "the same samples fetched again")


@check(tier="bronze", kinds=KINDS, hint="cut the samples once, by number or by a hash of the name, into three")
def splits_share_no_sample(subject: Subject) -> None:
    """No sample of one split is in another: what is measured was not trained on."""
    with _opened(subject) as splits:
        seen: dict[tuple[int, bytes], str] = {}
        for name, rows in splits.items():
            for domain, x in enumerate(_parts(_everything(rows, 20_000).x).values()):
                for number, sample in enumerate(x.flatten(1).contiguous()):
                    where = seen.setdefault((domain, sample.numpy().tobytes()), name)
                    expect(where == name, f"sample {number} of {name} is in {where} too")


@check(
    tier="silver",
    kinds=KINDS,
    hint="derive splits and samples from options alone: no clock, no global generator, no order",
)
def splits_are_stable(subject: Subject) -> None:
    """Opened again, in another order and under another global seed, a split has the same samples and fingerprint."""
    with _opened(subject) as splits, _root(subject) as root:
        with undisturbed("open"):
            again = {split: subject.make().open(split, root) for split in reversed(SPLITS)}
        for name, rows in splits.items():
            expect(len(rows) == len(again[name]), f"{name} has {len(rows)} samples, then {len(again[name])}")
            same, other = rows.fingerprint(), again[name].fingerprint()
            expect(
                isinstance(same, str) and same == other, f"the fingerprint of {name} is {same[:12]}, then {other[:12]}"
            )
            pairs = zip(_parts(_everything(rows).x).values(), _parts(_everything(again[name]).x).values(), strict=True)
            for first, second in pairs:
                expect_equal(second, first, f"samples of {name}, opened again")


@check(
    tier="silver",
    kinds=KINDS,
    hint="order(rng) is a permutation drawn from rng: torch.randperm(len(self), generator=rng)",
)
def order_is_a_function_of_its_generator(subject: Subject) -> None:
    """An epoch meets len samples, none twice, in an order that the generator decides; fetch knows their numbers."""
    with _opened(subject) as splits:
        rows = splits["train"]
        with undisturbed("order"):
            first, again, other = (rows.order(generator(seed)) for seed in (1, 1, 2))
        expect_shape(first, (len(rows),), "the order of an epoch")
        expect_equal(again, first, "the order under one seed")
        expect(len(rows) < 8 or not torch.equal(first, other), "the order is the same under two seeds")
        expect(len(first.unique()) == len(first), "an epoch meets a sample twice")
        expect_equal(rows.fetch(first[:3]).index, first[:3], "the numbers of the first samples of an epoch")


@check(tier="silver", kinds=KINDS, hint="raise DataError that names the split, or the file and where it was looked for")
def datasets_refuse_with_a_message(subject: Subject) -> None:
    """A split that there is not, and files that are not there, are refused with a DataError that says so."""
    with _root(subject) as root, tempfile.TemporaryDirectory() as empty:
        for split, where in (("nonsense", root), *((("train", Path(empty)),) if _reads_files(subject) else ())):
            try:
                subject.make().open(split, where)
            except GenError as error:
                expect(len(str(error)) > 15, f"the refusal says too little: {error}")
            else:
                expect(
                    False, f"open({split!r}) of {'an empty folder' if split == 'train' else 'that name'} is not refused"
                )


def _reads_files(subject: Subject) -> bool:
    return hasattr(subject.cls, "example_data")


CHECKS = (
    samples_are_as_the_spec_says,
    fetch_follows_its_numbers,
    splits_share_no_sample,
    splits_are_stable,
    order_is_a_function_of_its_generator,
    datasets_refuse_with_a_message,
)
