"""Discriminators: of images, of codes, of both together; what they show of themselves."""

from __future__ import annotations

import pytest
import torch

from gen.errors import ShapeError
from gen.types import CondSpec
from gen_nets.conv import ConvDiscriminator
from gen_nets.mlp import MLPDiscriminator

IMAGE, CODE, CLASSES = (1, 8, 8), (5,), CondSpec("class", 3)
CASES = [(MLPDiscriminator, {"hidden": (12, 16)}), (ConvDiscriminator, {"width": 8})]
CASES += [(ConvDiscriminator, {"width": 8, "hidden": (12, 16)})]
cases = pytest.mark.parametrize(("cls", "options"), CASES, ids=["mlp", "conv", "conv-hidden"])


def judge(cls, options, shape, cond=None):
    torch.manual_seed(0)
    return cls(in_shape=shape, out_shape=(), cond=cond, **options).double()


def drawn(*shape, seed=0):
    return torch.randn(4, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@cases
@pytest.mark.parametrize("cond", [None, CLASSES], ids=["free", "told"])
def test_pairs_get_a_logit_that_depends_on_both_of_their_own_and_on_nothing_else(cls, options, cond):
    network = judge(cls, options, (IMAGE, CODE), cond)
    x, z, labels = drawn(*IMAGE), drawn(*CODE, seed=1), torch.arange(4) % 3
    with torch.no_grad():
        logits = network((x, z), labels)
        others = network((x, z.roll(1, 0)), labels), network((x.roll(1, 0), z), labels)
        alone = torch.cat([network((x[i : i + 1], z[i : i + 1]), labels[i : i + 1]) for i in range(4)])

    assert logits.shape == (4,)
    torch.testing.assert_close(alone, logits)
    assert all((other != logits).all() for other in others)


@cases
def test_x_and_z_interact(cls, options):
    """A sum of one function of x and one of z could tell no pair from another: T(x, z) - T(x', z) depends on z."""
    network = judge(cls, options, (IMAGE, CODE))
    x, z = drawn(*IMAGE), drawn(*CODE, seed=1)
    gap = network((x, z)) - network((x.roll(1, 0), z))
    other = network((x, z.roll(1, 0))) - network((x.roll(1, 0), z.roll(1, 0)))

    assert ((gap - other).abs() > 1e-6).all()


@cases
def test_gradients_reach_every_parameter_and_both_inputs(cls, options):
    network = judge(cls, options, (IMAGE, CODE), CLASSES)
    x, z = drawn(*IMAGE).requires_grad_(), drawn(*CODE, seed=1).requires_grad_()
    network((x, z), torch.arange(4) % 3).square().sum().backward()

    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []
    assert x.grad.any()
    assert z.grad.any()


@cases
@pytest.mark.parametrize("shape", [IMAGE, (IMAGE, CODE)], ids=["single", "pair"])
def test_the_head_reads_the_features(cls, options, shape):
    network = judge(cls, options, shape)
    x = (drawn(*IMAGE), drawn(*CODE, seed=1)) if shape != IMAGE else drawn(*IMAGE)
    features = network.features(x)

    torch.testing.assert_close(network.head(features), network(x))
    assert features.shape[1:] == ((16,) if "hidden" in options else (16, 2, 2))


def test_a_perceptron_judges_codes_and_maps():
    for shape in ((3,), (2, 4, 4), ((2, 4, 4), (3, 2))):
        network = judge(MLPDiscriminator, {}, shape)
        x = tuple(drawn(*one) for one in shape) if isinstance(shape[0], tuple) else drawn(*shape)

        assert network(x).shape == (4,)


def test_a_linear_perceptron_cannot_join_a_code():
    with pytest.raises(ShapeError, match="mlp-discriminator has no hidden layer that could be told the condition"):
        judge(MLPDiscriminator, {"hidden": ()}, (IMAGE, CODE))


def test_what_is_no_image_or_no_single_logit_is_refused():
    with pytest.raises(ShapeError, match=r"conv-discriminator reads images \(C, H, W\), got the shape \(2,\): mlp-"):
        judge(ConvDiscriminator, {}, (2,))
    with pytest.raises(ShapeError, match=r"conv-discriminator gives one logit per sample, shape \(\), and \(3,\) is"):
        ConvDiscriminator(in_shape=IMAGE, out_shape=(3,))
