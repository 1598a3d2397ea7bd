"""Pixel likelihoods: chances sum to one, log_prob is the chance of the level, temperature, top-k and top-p."""

from __future__ import annotations

import pytest
import torch

from gen_autoregressive.choosing import How, choose
from gen_autoregressive.levels import index_of, value_of
from gen_autoregressive.likelihoods.logistic_mixture import LogisticMixture


def normal(*shape, scale=2.0, seed=0):
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("scale", [0.1, 2.0, 20.0])
def test_chances_sum_to_one_and_log_prob_is_the_chance_of_the_level(likelihood, build_likelihood, draw_images, scale):
    part = build_likelihood(likelihood)
    logits = normal(6, 7, part.size, scale=scale)
    x = draw_images(6, (7,), part.counted)

    chances = part.log_chances(logits)  # [6, 7, V]

    torch.testing.assert_close(chances.logsumexp(-1), torch.zeros(6, 7, dtype=torch.float64), rtol=0, atol=1e-9)
    of_level = chances.gather(-1, index_of(x, part.counted).unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(part.log_prob(logits, x), of_level)
    assert part.param_shape((2, 3, 4)) == (2 * part.size, 3, 4)


def test_a_mixture_of_256_levels_is_finite_and_normal_in_float32():
    part = LogisticMixture()
    logits = normal(50, part.size, scale=15.0).float()

    chances = part.log_chances(logits)

    assert chances.isfinite().all()
    torch.testing.assert_close(chances.double().exp().sum(-1), torch.ones(50, dtype=torch.float64), rtol=0, atol=1e-4)


def test_a_mixture_is_the_sum_of_its_components_differences_of_the_logistic_function():
    part = LogisticMixture(components=2, levels=5)
    logits = torch.tensor([0.3, -0.2, 0.1, -0.4, 1.0, 0.6], dtype=torch.float64)
    weight, location, scale = logits[:2].softmax(0), logits[2:4], (logits[4:] - 1.0).exp()

    def below(v):
        return (weight * ((v - location) / scale).sigmoid()).sum()

    middle = below(torch.tensor(0.25)) - below(torch.tensor(-0.25))

    assert part.log_chances(logits).exp()[2].item() == pytest.approx(middle.item())
    assert part.log_chances(logits).exp()[0].item() == pytest.approx(below(torch.tensor(-0.75)).item())


def test_levels_and_values_are_inverse():
    index = torch.arange(17)

    assert torch.equal(index_of(value_of(index, 17, torch.float32), 17), index)
    assert value_of(index, 17, torch.float64)[[0, 8, 16]].tolist() == [-1, 0, 1]


CHANCES = torch.tensor([0.1, 0.4, 0.0, 0.3, 0.2], dtype=torch.float64)


def shares(how):
    """How often each level is chosen, over a fine grid of uniform numbers."""
    grid = (torch.arange(10_000, dtype=torch.float64) + 0.5) / 10_000
    index = choose(CHANCES.log().expand(len(grid), -1), grid, how)
    return (torch.bincount(index, minlength=5) / len(grid)).tolist()


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        (How(), [0.1, 0.4, 0, 0.3, 0.2]),
        (How(top_k=1), [0, 1, 0, 0, 0]),
        (How(top_k=2), [0, 4 / 7, 0, 3 / 7, 0]),
        (How(top_k=9), [0.1, 0.4, 0, 0.3, 0.2]),
        (How(top_p=0.39), [0, 1, 0, 0, 0]),
        (How(top_p=0.65), [0, 4 / 7, 0, 3 / 7, 0]),
        (How(top_p=1e-9), [0, 1, 0, 0, 0]),
        (How(temperature=0.5), [1 / 30, 16 / 30, 0, 9 / 30, 4 / 30]),
        (How(temperature=0.5, top_k=2), [0, 16 / 25, 0, 9 / 25, 0]),
    ],
)
def test_levels_are_chosen_as_told(how, wanted):
    assert shares(how) == pytest.approx(wanted, abs=2e-4)


def test_the_ends_of_the_uniform_numbers_choose_levels_that_can_be():
    ends = torch.tensor([0.0, 1 - 2.0**-53], dtype=torch.float64)
    never = torch.tensor([0.0, 0.5, 0.5, 0.0], dtype=torch.float64).log().expand(2, -1)

    assert choose(never, ends, How()).tolist() == [1, 2]
