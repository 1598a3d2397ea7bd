"""Chances as whole numbers: what they sum to, that none is nothing, and what it costs."""

from __future__ import annotations

import pytest
import torch

from gen.errors import DataError
from gen_compression.frequencies import TOTAL, above_one


def chances(n: int, k: int, sharpness: float) -> torch.Tensor:
    rng = torch.Generator().manual_seed(k)
    return (sharpness * torch.randn(n, k, generator=rng, dtype=torch.float64)).softmax(1)


@pytest.mark.parametrize("k", [2, 3, 17, 256, 65_536])
@pytest.mark.parametrize("sharpness", [0.0, 1.0, 30.0])
def test_frequencies_are_whole_sum_exactly_and_none_is_nothing(k: int, sharpness: float) -> None:
    weights = above_one(chances(20, k, sharpness))

    assert torch.equal(weights, weights.round())
    assert bool((weights >= 0).all())
    assert torch.equal((weights + 1).sum(1), torch.full((20,), float(TOTAL), dtype=torch.float64))


@pytest.mark.parametrize("k", [2, 5, 17, 256])
@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_rounding_costs_less_than_a_ten_thousandth(k: int, sharpness: float) -> None:
    p = chances(200, k, sharpness)
    entropy = -(p * p.log2()).sum(1)
    length = -(p * ((above_one(p) + 1) / TOTAL).log2()).sum(1)

    assert bool((length >= entropy - 1e-9).all())
    assert length.sum() < entropy.sum() * (1 + 1e-4)


def test_every_frequency_is_off_by_at_most_two_and_k_chances_of_it() -> None:
    p = chances(50, 100, 2.0)

    off = (above_one(p) + 1 - TOTAL * p).abs()

    assert bool((off <= 2 + 100 * p + 1e-6).all())


def test_a_symbol_without_a_chance_can_be_coded_and_unnormalised_chances_serve() -> None:
    assert (above_one(torch.tensor([[0.0, 1.0, 0.0]])) + 1).tolist() == [[1.0, TOTAL - 2.0, 1.0]]
    assert torch.equal(above_one(torch.tensor([[2.0, 6.0]])), above_one(torch.tensor([[0.25, 0.75]])))


@pytest.mark.parametrize("bad", [[0.5, float("nan")], [0.0, 0.0], [1.5, -0.5], [1.0, float("inf")]])
def test_chances_that_are_none_are_refused(bad: list[float]) -> None:
    with pytest.raises(DataError, match="the model gives chances that are none"):
        above_one(torch.tensor([bad]))
