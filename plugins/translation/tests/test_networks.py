"""The networks: shapes, what a patch sees, sides that cannot be."""

from __future__ import annotations

import pytest
import torch

from gen.errors import ShapeError
from gen_translation.patches import PatchDiscriminator
from gen_translation.resnet import ResNetGenerator
from gen_translation.unet import UNetGenerator


@pytest.mark.parametrize("sides", [(8, 8), (12, 20), (64, 64)])
@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
def test_a_resnet_keeps_the_sides_and_the_range(sides: tuple[int, int], norm: str) -> None:
    network = ResNetGenerator(width=4, blocks=1, norm=norm, in_shape=(3, *sides), out_shape=(1, *sides))
    made = network(torch.randn(2, 3, *sides) * 5)

    assert made.shape == (2, 1, *sides)
    assert made.abs().max() <= 1


@pytest.mark.parametrize(("sides", "depth"), [((8, 8), 3), ((12, 20), 2), ((64, 64), 6)])
@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
@pytest.mark.parametrize("n", [1, 2])
def test_a_unet_halves_as_often_as_the_sides_allow(sides: tuple[int, int], depth: int, norm: str, n: int) -> None:
    network = UNetGenerator(width=2, norm=norm, in_shape=(3, *sides), out_shape=(1, *sides))
    made = network(torch.randn(n, 3, *sides) * 5)

    assert (made.shape, len(network.downs)) == ((n, 1, *sides), depth)
    assert made.abs().max() <= 1


def test_skips_hand_every_level_past_the_bottleneck() -> None:
    """With the innermost level silenced, the source still decides what comes out."""
    network = UNetGenerator(width=2, norm="none", in_shape=(1, 16, 16), out_shape=(1, 16, 16)).eval()
    for parameter in network.downs[-1].parameters():
        parameter.data.zero_()
    one, two = network(torch.randn(2, 1, 16, 16))

    assert not torch.allclose(one, two)


def test_a_generator_with_instance_norms_treats_samples_one_by_one() -> None:
    network = ResNetGenerator(width=4, blocks=2, in_shape=(1, 8, 8), out_shape=(1, 8, 8))
    x = torch.randn(5, 1, 8, 8)

    torch.testing.assert_close(network(x)[3:4], network(x[3:4]))


@pytest.mark.parametrize(("depth", "field"), [(1, 16), (2, 34), (3, 70)])
def test_a_logit_sees_the_patch_that_is_said(depth: int, field: int) -> None:
    """The pixels whose gradient is not zero, of a logit far from the border."""
    network = PatchDiscriminator(width=2, depth=depth, norm="none", in_shape=(1, 128, 128), out_shape=())
    x = torch.rand(1, 1, 128, 128, requires_grad=True)
    logits = network(x)
    middle = logits.shape[-1] // 2
    logits[0, 0, middle, middle].backward()
    seen = x.grad[0, 0].abs() > 0

    assert (seen.any(0).sum().item(), seen.any(1).sum().item()) == (field, field)


@pytest.mark.parametrize(("side", "patches"), [(8, 2), (16, 2), (32, 2), (64, 6), (128, 14), (256, 30)])
def test_a_patch_adapts_to_small_sides(side: int, patches: int) -> None:
    network = PatchDiscriminator(width=2, in_shape=(3, side, side), out_shape=())

    assert network(torch.zeros(2, 3, side, side)).shape == (2, 1, patches, patches)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ResNetGenerator(in_shape=(3, 30, 32), out_shape=(3, 30, 32)), "divisible by 4, got 30x32"),
        (lambda: ResNetGenerator(in_shape=(3, 4, 4), out_shape=(3, 4, 4)), "takes sides from 8 on"),
        (lambda: ResNetGenerator(in_shape=(3, 8, 8), out_shape=(3, 16, 16)), "images of the same sides"),
        (lambda: ResNetGenerator(in_shape=(64,), out_shape=(64,)), "images of the same sides"),
        (
            lambda: UNetGenerator(in_shape=(3, 12, 8), out_shape=(3, 12, 8), depth=3),
            "divisible by 8, got 12x8: depth 2",
        ),
        (lambda: UNetGenerator(in_shape=(3, 9, 8), out_shape=(3, 9, 8)), "divisible by 2, got 9x8: resize the data"),
        (lambda: PatchDiscriminator(in_shape=(3, 4, 4), out_shape=()), "takes sides from 8 on, got 4"),
        (lambda: PatchDiscriminator(in_shape=(3, 16, 16), out_shape=(), depth=3), "of side 16: depth 2 fits"),
        (lambda: PatchDiscriminator(in_shape=(16,), out_shape=()), "judges images"),
    ],
)
def test_sides_that_do_not_fit_are_refused_with_a_remedy(make: object, said: str) -> None:
    with pytest.raises(ShapeError, match=said):
        make()
