"""Counter-based draws: splitmix64's published outputs, uniform, independent of the batch."""

from __future__ import annotations

import math

import pytest
import torch

from gen_data.counter import hash64, uniform


def test_hash_is_splitmix64() -> None:
    # the first outputs for seed 1234567, as listed by Rosetta Code ("Pseudo-random numbers/Splitmix64")
    reference = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    outputs = hash64(1234567, torch.arange(1, 5)).tolist()

    assert [output % 2**64 for output in outputs] == reference


def test_draws_are_uniform() -> None:
    draws = uniform(7, torch.arange(2000), (10, 10)).double().flatten()
    counts = torch.histc(draws, 100, 0, 1)
    expected = len(draws) / 100
    chi_squared = ((counts - expected) ** 2 / expected).sum()

    assert 0 <= draws.min() <= draws.max() < 1
    assert abs(chi_squared - 99) < 5 * math.sqrt(2 * 99)  # five standard deviations
    assert abs(draws.mean() - 0.5) < 5 / math.sqrt(12 * len(draws))


@pytest.mark.parametrize(("key", "other", "shift"), [(0, 0, 1), (0, 0, 100), (0, 1, 0), (5, 6, 3)])
def test_draws_are_uncorrelated(key: int, other: int, shift: int) -> None:
    a = uniform(key, torch.arange(1000), (100,)).flatten() - 0.5
    b = uniform(other, torch.arange(1000), (100,)).flatten().roll(shift) - 0.5

    assert abs(12 * (a * b).mean()) < 5 / math.sqrt(len(a))


def test_a_draw_depends_on_the_sample_alone() -> None:
    together = uniform(3, torch.arange(20), (2, 3))
    order = torch.randperm(20, generator=torch.Generator().manual_seed(0))

    assert torch.equal(uniform(3, order, (2, 3)), together[order])
    assert torch.equal(torch.cat([uniform(3, torch.tensor([i]), (2, 3)) for i in range(20)]), together)
