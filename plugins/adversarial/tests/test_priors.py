"""The ring and the roll: where their codes lie, and what labels name."""

from __future__ import annotations

import math

import pytest
import torch

from gen_adversarial.priors.ring_mixture import RingMixture
from gen_adversarial.priors.swiss_roll import SwissRoll


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_ring_has_its_modes_on_a_circle_and_they_are_equally_frequent():
    z = RingMixture(shape=(2,), modes=10, radius=3.0, std=0.05).sample(20_000, rng())
    mode = (torch.atan2(z[:, 1], z[:, 0]) / (2 * math.pi / 10)).round().long() % 10

    assert z.norm(dim=1).mean().item() == pytest.approx(3, abs=0.01)
    assert torch.bincount(mode, minlength=10).float().div(20_000).sub(0.1).abs().max() < 0.01


def test_density_of_one_mode_is_the_normal():
    prior = RingMixture(shape=(3,), modes=1, radius=2.0, std=0.5).double()
    z = torch.randn(5, 3, generator=rng(), dtype=torch.float64)
    normal = torch.distributions.Normal(torch.tensor([2.0, 0, 0], dtype=torch.float64), 0.5)

    torch.testing.assert_close(prior.log_prob(z), normal.log_prob(z).sum(1))


def test_roll_winds_outwards_evenly_along_its_length():
    prior = SwissRoll(shape=(2,), turns=2.0, radius=4.0, segments=8, std=0.01)
    centres = prior.centres
    gaps = (centres[1:] - centres[:-1]).norm(dim=1)
    angle = torch.atan2(centres[:, 1], centres[:, 0])
    wound = (angle.diff() + math.pi).remainder(2 * math.pi).sub(math.pi).sum()

    assert centres.norm(dim=1).max().item() == pytest.approx(4, rel=0.01)
    assert wound.item() == pytest.approx(4 * math.pi, rel=0.05)
    assert gaps[40:].max() / gaps[40:].min() < 1.6
    assert gaps.max() < 0.2


@pytest.mark.parametrize(
    "prior", [RingMixture(shape=(2,), modes=5, std=0.01), SwissRoll(shape=(2,), segments=5, std=0.01)]
)
def test_labels_name_pieces_that_make_up_the_whole(prior):
    labels = torch.arange(5).repeat_interleave(400)
    z, whole = prior.sample_of(labels, rng()), prior.sample(2_000, rng(1))
    nearest = torch.cdist(z, prior.centres).argmin(1)
    each = len(prior.centres) // 5

    assert (nearest // each == labels).float().mean() > 0.99
    torch.testing.assert_close(z.mean(0), whole.mean(0), atol=0.3, rtol=0)
    assert torch.equal(prior.sample_of(labels, rng()), z)


def test_further_coordinates_are_centred_and_maps_have_their_shape():
    z = RingMixture(shape=(2, 3, 3), std=0.1).sample(500, rng())

    assert z.shape == (500, 2, 3, 3)
    assert z.flatten(1)[:, 2:].abs().max() < 0.6
