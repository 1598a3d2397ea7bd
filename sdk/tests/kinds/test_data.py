"""Data sets and transforms: sound toys pass, and each check catches the fault planted for it."""

from __future__ import annotations

import pytest
import torch

from gen.component import component
from gen.errors import DataError, ShapeError
from gen.interfaces import Dataset, Transform
from gen.rows import TensorRows
from gen.types import CondSpec, DataSpec, Domain
from gen_sdk.checks.kinds import dataset, transform

BY_ID = {check.id: check for module in (dataset, transform) for check in module.CHECKS}
SPEC = DataSpec.single(Domain((1, 4, 4), levels=256), CondSpec("class", 3))
PLACES = {"train": slice(0, 40), "val": slice(40, 50), "test": slice(50, 60)}


def numbered(n: int) -> torch.Tensor:
    return (torch.arange(n * 16).view(n, 1, 4, 4) * 3 % 251).to(torch.uint8)


@component
class Numbers(Dataset):
    """Sixty numbered images."""

    def open(self, split, root):
        if split not in PLACES:
            raise DataError(f'there is no split "{split}": train, val and test are')
        place = PLACES[split]
        return self.rows(numbered(60)[place], torch.arange(60)[place] % 3)

    def rows(self, x, cond):
        return TensorRows(SPEC, x, cond)


@component
class Noisy(Transform):
    """A little noise, kept in the range of images."""

    random = True

    def domain(self, domain):
        if domain.modality != "image":
            raise ShapeError(f"noisy takes images; these data are a {domain.modality}")
        self.seen = domain
        return Domain(domain.shape, range=domain.range)

    def __call__(self, x, index, rng=None):
        return (x + 0.1 * torch.rand(x.shape, generator=rng)).clamp(*self.seen.range)


@component
class Upside(Transform):
    """Turns images upside down."""

    def domain(self, domain):
        if domain.modality != "image":
            raise ShapeError(f"upside takes images; these data are a {domain.modality}")
        return domain

    def __call__(self, x, index, rng=None):
        return x.flip(2)


@pytest.mark.parametrize("sound", [Numbers, Noisy, Upside])
def test_sound_data_pass_every_check(verdict, sound):
    for check in BY_ID.values():
        if sound.kind in check.kinds:
            assert verdict(check, sound).outcome == "passed", (check.id, verdict(check, sound).said)


class Shuffled(TensorRows):
    def fetch(self, index):
        return super().fetch(index.sort().values)._replace(index=index)


class Wandering(TensorRows):
    def order(self, rng):
        return torch.randperm(len(self))


def leaks(self, split, root):
    """The test split takes the last training rows along."""
    place = slice(35, 60) if split == "test" else PLACES[split]
    return self.rows(numbered(60)[place], torch.arange(60)[place] % 3)


def reshuffles(self, split, root):
    place = torch.randperm(60)[PLACES[split]]
    return self.rows(numbered(60)[place], place % 3)


def accepts_anything(self, split, root):
    return self.rows(numbered(60)[PLACES.get(split, slice(0, 9))], torch.arange(60)[PLACES.get(split, slice(0, 9))] % 3)


def half_levels(self, x, cond):
    return TensorRows(SPEC, x.float() / 127.5 - 1 + 0.5 / 127.5 * (x < 200), cond)


D, N, U = Numbers, Noisy, Upside
FAULTS = [
    (
        "samples-are-as-the-spec-says",
        D,
        {"rows": lambda s, x, c: TensorRows(SPEC, x.float() / 255, c)},
        "between the levels",
    ),
    (
        "samples-are-as-the-spec-says",
        D,
        {"rows": lambda s, x, c: TensorRows(SPEC, x.float(), c)},
        "values of train run from",
    ),
    ("samples-are-as-the-spec-says", D, {"rows": half_levels}, "between the levels"),
    ("samples-are-as-the-spec-says", D, {"rows": lambda s, x, c: TensorRows(SPEC, x, c + 1)}, "labels run from 1 to 3"),
    ("fetch-follows-its-numbers", D, {"rows": lambda s, x, c: Shuffled(SPEC, x, c)}, "sample 0"),
    ("splits-share-no-sample", D, {"open": leaks}, "of test is in train too"),
    ("splits-are-stable", D, {"open": reshuffles}, "global generator"),
    ("order-is-a-function-of-its-generator", D, {"rows": lambda s, x, c: Wandering(SPEC, x, c)}, "global generator"),
    ("datasets-refuse-with-a-message", D, {"open": accepts_anything}, "is not refused"),
    ("transform-makes-what-domain-says", U, {"__call__": lambda s, x, index, rng=None: x[:, :, ::2]}, "has the shape"),
    ("transform-makes-what-domain-says", U, {"__call__": lambda s, x, index, rng=None: 1.2 * x}, "values run from"),
    (
        "transform-makes-what-domain-says",
        U,
        {"__call__": lambda s, x, index, rng=None: 0.99 * x},
        "levels that domain() says",
    ),
    (
        "transform-leaves-its-input",
        U,
        {"__call__": lambda s, x, index, rng=None: x.mul_(0.5)},
        "handed to the transform",
    ),
    (
        "transform-is-reproducible",
        N,
        {"__call__": lambda s, x, index, rng=None: (x + 0.1 * torch.rand(x.shape)).clamp(*s.seen.range)},
        "global",
    ),
    ("transform-is-reproducible", N, {"random": False}, "without a generator"),
    (
        "transform-works-row-by-row",
        U,
        {"__call__": lambda s, x, index, rng=None: (x - x.mean(0)).clamp(-1, 1)},
        "one by one",
    ),
    (
        "transform-works-row-by-row",
        N,
        {"__call__": lambda s, x, index, rng=None: (x + 0.1 * torch.rand((), generator=rng)).clamp(*s.seen.range)},
        "come out alike",
    ),
    (
        "transform-refuses-with-a-shape-error",
        U,
        {"domain": lambda s, domain: Domain(domain.shape[:1] + domain.shape[1:2] * (len(domain.shape) - 1))},
        "which domain() accepts",
    ),
]


@pytest.mark.parametrize(
    ("id", "sound", "changes", "said"), FAULTS, ids=[f"{n}-{case[0]}" for n, case in enumerate(FAULTS)]
)
def test_a_planted_fault_is_caught(verdict, id, sound, changes, said):
    result = verdict(BY_ID[id], sound, **changes)

    assert result.outcome == "failed"
    assert said in result.said


def test_every_check_has_a_planted_fault():
    assert {case[0] for case in FAULTS} == set(BY_ID)
