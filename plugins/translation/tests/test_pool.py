"""The pool of past samples: what it returns, how often, and that it goes on where it stopped."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gen_translation.pool import Pool


def numbers(start: int, n: int) -> Tensor:
    """Samples [n, 1] that are their own numbers."""
    return torch.arange(start, start + n, dtype=torch.float32)[:, None]


def shown(pool: Pool, batch: int, rounds: int, seed: int = 0) -> Tensor:
    """What a pool returns [rounds, batch] of samples numbered in order."""
    torch.manual_seed(seed)
    return torch.stack([pool(numbers(step * batch, batch)).flatten() for step in range(rounds)])


@pytest.mark.parametrize("batch", [1, 4, 7])
def test_a_pool_returns_what_comes_while_it_fills(batch: int) -> None:
    rounds = 20 // batch
    returned = shown(Pool(20, (1,)), batch, rounds)

    assert torch.equal(returned.flatten(), torch.arange(rounds * batch).float())


@pytest.mark.parametrize("batch", [1, 4])
def test_a_full_pool_returns_past_samples_half_the_time(batch: int) -> None:
    """Within five standard deviations of a fair coin."""
    rounds = 2000 // batch
    returned = shown(Pool(50, (1,)), batch, rounds).flatten()[100:]
    new = torch.arange(rounds * batch)[100:]
    past = (returned < new - batch).sum().item()

    assert abs(past - len(new) / 2) <= 5 * math.sqrt(len(new) / 4)


def test_every_sample_is_returned_at_most_once() -> None:
    """Returned as it came, or kept and later returned in another's place (those that filled the pool: both)."""
    returned = shown(Pool(16, (1,)), 4, 500).flatten().tolist()
    after = returned[16:]

    assert len(after) == len(set(after))


def test_a_sample_waits_twice_the_size_of_the_pool_on_average() -> None:
    """A place is taken with chance 1/(2P) a step, so that a past sample is 2P steps old on average."""
    size = 20
    returned = shown(Pool(size, (1,)), 1, 3000).flatten()[500:]
    age = torch.arange(500, 3000) - returned
    past = age[age > 0]

    assert past.mean().item() == pytest.approx(2 * size, rel=0.2)


def test_a_pool_goes_on_bit_identical_where_it_stopped() -> None:
    whole, first, second = (Pool(10, (1,)) for _ in range(3))
    expected = shown(whole, 2, 30)
    torch.manual_seed(0)
    for step in range(13):
        first(numbers(2 * step, 2))
    second.load_state_dict(first.state_dict())
    going_on = torch.stack([second(numbers(2 * step, 2)).flatten() for step in range(13, 30)])

    assert torch.equal(going_on, expected[13:])
    assert torch.equal(second.past, whole.past)


def test_a_batch_larger_than_the_pool_passes_through_with_its_surplus() -> None:
    pool = Pool(3, (1,))
    for _ in range(4):
        returned = pool(numbers(0, 8))

    assert torch.equal(returned[3:], numbers(3, 5))


def test_a_pool_without_places_or_in_evaluation_lets_everything_pass() -> None:
    kept = Pool(4, (1,)).eval()
    before = kept.past.clone()

    assert torch.equal(Pool(0, (1,))(numbers(0, 3)), numbers(0, 3))
    assert torch.equal(kept(numbers(1, 3)), numbers(1, 3))
    assert torch.equal(kept.past, before)
