"""pix2pix: its terms, whose gradients they are, what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from gen.errors import GenError, ShapeError
from gen.types import Batch, DataSpec, Progress
from gen_translation.patches import PatchDiscriminator
from gen_translation.pix2pix import Pix2Pix
from gen_translation.unet import UNetGenerator


@pytest.fixture
def model(spec: Callable[..., DataSpec]) -> Pix2Pix:
    """From grey to colour, 8x8."""
    data = spec(b=(3, 8, 8))
    wired = Pix2Pix.wire(data)
    generator = UNetGenerator(width=4, in_shape=wired["generator"].in_shape, out_shape=wired["generator"].out_shape)
    judge = PatchDiscriminator(width=4, in_shape=wired["discriminator"].in_shape, out_shape=())
    return Pix2Pix(data=data, generator=generator, discriminator=judge)


@pytest.fixture
def pairs() -> Batch:
    return Batch({"a": torch.rand(6, 1, 8, 8) * 2 - 1, "b": torch.rand(6, 3, 8, 8) * 2 - 1}, None, torch.arange(6))


def test_the_distance_is_the_mean_over_dimensions(model: Pix2Pix, pairs: Batch, start: Progress) -> None:
    model.eval()
    losses = model.generator_loss(pairs, start)
    apart = (model.translate(pairs.x["a"], "b") - pairs.x["b"]).abs().mean()

    torch.testing.assert_close(losses.terms["reconstruction"], apart)
    torch.testing.assert_close(losses.total, losses.terms["adversarial"] + 100 * apart)


def test_gradients_of_a_phase_reach_exactly_its_part(model: Pix2Pix, pairs: Batch, start: Progress) -> None:
    for phase in model.phases():
        model.zero_grad()
        mine = {id(p) for part in phase.train for p in part.parameters()}
        for parameter in model.parameters():
            parameter.requires_grad_(id(parameter) in mine)
        phase.loss(pairs, start).total.backward()
        reached = {name.partition(".")[0] for name, p in model.named_parameters() if p.grad is not None}

        assert reached == {phase.name}


def test_the_judge_sees_the_source_beside_the_target(model: Pix2Pix, pairs: Batch) -> None:
    """The same target beside another source is judged otherwise."""
    target = pairs.x["b"][:1]
    one, two = (model.judged(pairs.x["a"][i : i + 1], target) for i in (0, 1))

    assert not torch.allclose(one, two)


def test_it_translates_one_way(model: Pix2Pix, pairs: Batch) -> None:
    assert model.targets == ("b",)
    with pytest.raises(GenError, match='from a to b alone, not to "a"'):
        model.translate(pairs.x["b"], "a")


def test_pairs_of_different_sides_are_refused(spec: Any) -> None:
    with pytest.raises(ShapeError, match="pairs are images"):
        Pix2Pix.wire(spec(b=(1, 4, 4)))


def test_dropout_is_on_while_training_alone() -> None:
    network = UNetGenerator(width=4, in_shape=(1, 16, 16), out_shape=(1, 16, 16))
    x = torch.randn(2, 1, 16, 16)

    assert not torch.equal(network(x), network(x))
    assert torch.equal(network.eval()(x), network(x))
