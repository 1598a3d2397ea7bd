"""Distances against the likelihoods they stand for, their gradients and their invariances."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Bernoulli, Laplace, Normal

from gen.interfaces import Distance
from gen_losses.distances import AbsoluteError, BernoulliCrossEntropy, SquaredError
from gen_losses.plugin import gen_components

DISTANCES = {"mse": SquaredError(), "l1": AbsoluteError(), "bernoulli": BernoulliCrossEntropy()}
SHAPES = [(1, 4, 4), (3, 2, 5), (7,)]

every = pytest.mark.parametrize("distance", DISTANCES.values(), ids=DISTANCES)


def pair(shape=(2, 3, 4), batch=5, dtype=torch.float64):
    """An output y anywhere and data x in [-1, 1]."""
    rng = torch.Generator().manual_seed(0)
    y = torch.randn(batch, *shape, generator=rng, dtype=dtype)
    return y, torch.rand(batch, *shape, generator=rng, dtype=dtype) * 2 - 1


def test_registered_names_lead_to_distances():
    targets = {c.name: c.target for c in gen_components()}

    for key, d in DISTANCES.items():
        assert targets[key] == f"{type(d).__module__}:{type(d).__name__}"
    assert all(isinstance(distance, Distance) for distance in DISTANCES.values())


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_squared_error_is_the_unit_gaussian_likelihood_up_to_its_constant(shape):
    y, x = pair(shape)
    nats = -Normal(y, 1.0).log_prob(x).flatten(1).sum(1)

    torch.testing.assert_close(SquaredError()(y, x), nats - 0.5 * math.prod(shape) * math.log(2 * math.pi))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_absolute_error_is_the_unit_laplace_likelihood_up_to_its_constant(shape):
    y, x = pair(shape)
    nats = -Laplace(y, 1.0).log_prob(x).flatten(1).sum(1)

    torch.testing.assert_close(AbsoluteError()(y, x), nats - math.prod(shape) * math.log(2))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_cross_entropy_of_binary_data_is_the_bernoulli_likelihood(shape):
    y, x = pair(shape)
    x = x.sign()
    nats = -Bernoulli(logits=y).log_prob((x + 1) / 2).flatten(1).sum(1)

    torch.testing.assert_close(BernoulliCrossEntropy()(y, x), nats)


def test_cross_entropy_of_grey_data_is_least_at_their_entropy():
    _, x = pair()
    p = (x + 1) / 2
    entropy = Bernoulli(p).entropy().flatten(1).sum(1)
    best = torch.logit(p)

    torch.testing.assert_close(BernoulliCrossEntropy()(best, x), entropy)
    torch.testing.assert_close(DISTANCES["bernoulli"].mean(best), x)


def test_cross_entropy_stays_finite_for_extreme_logits():
    y = torch.tensor([[-1000.0, 1000.0], [1000.0, -1000.0]], requires_grad=True)
    distances = BernoulliCrossEntropy()(y, torch.tensor([[-1.0, 1.0], [-1.0, 1.0]]))
    distances.sum().backward()

    assert distances.tolist() == [0.0, 2000.0]
    assert y.grad.tolist() == [[0.0, 0.0], [1.0, -1.0]]


@pytest.mark.parametrize(
    ("distance", "gradient"),
    [
        (SquaredError(), lambda y, x: y - x),
        (AbsoluteError(), lambda y, x: (y - x).sign()),
        (BernoulliCrossEntropy(), lambda y, x: torch.sigmoid(y) - (x + 1) / 2),
    ],
    ids=DISTANCES,
)
def test_gradient_has_its_closed_form(distance, gradient):
    y, x = pair()
    y.requires_grad_()
    distance(y, x).sum().backward()

    torch.testing.assert_close(y.grad, gradient(y.detach(), x))


@pytest.mark.parametrize("distance", [DISTANCES["mse"], DISTANCES["l1"]], ids=["mse", "l1"])
def test_distance_is_zero_at_the_data_and_symmetric(distance):
    y, x = pair()

    assert torch.equal(distance(x, x), torch.zeros(5, dtype=x.dtype))
    torch.testing.assert_close(distance(y, x), distance(x, y))
    assert torch.equal(distance.mean(y), y)


@pytest.mark.parametrize(("name", "power"), [("mse", 2), ("l1", 1)])
def test_distance_grows_with_its_power_of_the_scale(name, power):
    y, x = pair()

    torch.testing.assert_close(DISTANCES[name](3 * y, 3 * x), 3**power * DISTANCES[name](y, x))


def test_cross_entropy_is_symmetric_under_inverting_the_picture():
    y, x = pair()

    torch.testing.assert_close(BernoulliCrossEntropy()(-y, -x), BernoulliCrossEntropy()(y, x))
    torch.testing.assert_close(DISTANCES["bernoulli"].mean(-y), -DISTANCES["bernoulli"].mean(y))


@every
def test_distance_is_per_sample_and_blind_to_the_order_of_dimensions(distance):
    y, x = pair()
    order, pixels = torch.tensor([3, 0, 4, 1, 2]), torch.randperm(24, generator=torch.Generator().manual_seed(2))
    whole = distance(y, x)

    assert whole.shape == (5,)
    torch.testing.assert_close(distance(y[order], x[order]), whole[order])
    torch.testing.assert_close(distance(y.flatten(1)[:, pixels], x.flatten(1)[:, pixels]), whole)


@every
def test_distance_adds_up_over_the_parts_of_a_sample(distance):
    y, x = pair()

    torch.testing.assert_close(distance(y[:, :1], x[:, :1]) + distance(y[:, 1:], x[:, 1:]), distance(y, x))


@every
def test_half_precision_is_summed_in_single(distance):
    y, x = pair((3, 32, 32), dtype=torch.float32)
    rough = y.bfloat16()

    assert distance(rough, x).dtype == torch.float32
    assert torch.equal(distance(rough, x), distance(rough.float(), x))
    assert torch.equal(distance(rough, x.bfloat16()), distance(rough.float(), x.bfloat16().float()))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(distance(rough, x), distance(rough.float(), x))


@every
def test_shapes_that_would_broadcast_are_refused(distance):
    with pytest.raises(AssertionError, match="a distance between shapes"):
        distance(torch.zeros(2, 1, 3, 3), torch.zeros(2, 3, 3))
