"""The denoisers: what they say before training, what they may know of a position, what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from gen.errors import OptionError, ShapeError
from gen.types import CondSpec
from gen_diffusion.networks.dit import DiT
from gen_diffusion.networks.layers import MapAttention, Residual, divisor
from gen_diffusion.networks.mlp import MLPDenoiser
from gen_diffusion.networks.rotary import angles, rotate
from gen_diffusion.networks.unet import UNet

LABELS = CondSpec("class", 3)
SMALL: dict[Any, dict[str, Any]] = {
    UNet: {"width": 8, "multipliers": (1, 2), "blocks": 1},
    DiT: {"width": 16, "heads": 2, "depth": 2},
    MLPDenoiser: {"width": 8, "depth": 2},
}
every = pytest.mark.parametrize("cls", list(SMALL))
images = pytest.mark.parametrize("cls", [UNet, DiT])


@images
def test_an_image_denoiser_says_nothing_before_it_is_trained(cls: Any) -> None:
    network = _make(cls)

    assert not network(torch.randn(2, 1, 8, 8), torch.rand(2)).any()


@images
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 4, 12), (5, 2, 2)])
def test_any_channels_and_any_sides_that_divide_are_taken(cls: Any, shape: tuple[int, ...]) -> None:
    network = _shaken(_make(cls, shape, (2 * shape[0], *shape[1:])))

    out = network(torch.randn(2, *shape), torch.rand(2))

    assert out.shape == (2, 2 * shape[0], *shape[1:])
    assert out.isfinite().all()


@every
def test_no_label_is_the_null_label(cls: Any) -> None:
    network, x, t = _shaken(_make(cls, cond=LABELS)), torch.randn(4, 1, 8, 8), torch.rand(4)

    torch.testing.assert_close(network(x, t), network(x, t, torch.full((4,), LABELS.null)))
    assert not torch.allclose(network(x, t), network(x, t, torch.zeros(4, dtype=torch.long)))


@images
def test_blocks_worked_out_again_give_the_same_gradients(cls: Any) -> None:
    x, t, found = torch.randn(2, 1, 8, 8), torch.rand(2), []
    for recompute in (False, True):
        network = _shaken(_make(cls, recompute=recompute))
        network(x, t).square().mean().backward()
        found.append([p.grad for p in network.parameters()])

    torch.testing.assert_close(*found)


def test_dropout_is_drawn_once_where_blocks_are_worked_out_again() -> None:
    x, t, found = torch.randn(2, 1, 8, 8), torch.rand(2), []
    for recompute in (False, True):
        network = _shaken(_make(UNet, recompute=recompute, dropout=0.5)).train()
        torch.manual_seed(1)
        network(x, t).square().mean().backward()
        found.append([p.grad for p in network.parameters()])

    torch.testing.assert_close(*found)


def test_a_residual_block_starts_as_the_identity() -> None:
    x = torch.randn(2, 8, 4, 4)

    assert torch.equal(Residual(8, 8, told=4, dropout=0.0)(x, torch.randn(2, 4)), x)


def test_attention_on_maps_does_not_know_where_a_pixel_lies() -> None:
    attention, x = _shaken(MapAttention(8)), torch.randn(2, 8, 4, 4)
    order = torch.randperm(16)
    moved = x.flatten(2)[..., order].unflatten(2, (4, 4))

    torch.testing.assert_close(attention(moved), attention(x).flatten(2)[..., order].unflatten(2, (4, 4)))


def test_attention_reaches_across_the_map_where_the_unet_is_asked_to_attend() -> None:
    def reach(attention: tuple[int, ...]) -> int:
        network = UNet(
            in_shape=(1, 32, 32), out_shape=(1, 32, 32), width=8, multipliers=(1, 1), blocks=1, attention=attention
        )
        level = _shaken(network).down[0]
        x = torch.zeros(1, 8, 32, 32, requires_grad=True)
        (grad,) = torch.autograd.grad(level.blocks[0].attention(x)[0, :, 0, 0].sum(), x)
        return int(grad.any(dim=1).sum())

    assert reach(()) == 1
    assert reach((32,)) == 32 * 32


def test_a_unet_commutes_with_shifts_by_its_coarsest_pixel_away_from_the_edges() -> None:
    network = UNet(in_shape=(1, 64, 64), out_shape=(1, 64, 64), width=4, multipliers=(1, 1), blocks=1)
    for block in [*network.down[1].blocks, *network.middle.blocks, *network.up[0].blocks]:
        block.attention = torch.nn.Identity()
    for module in network.modules():
        if isinstance(module, torch.nn.GroupNorm):
            module.forward = lambda x: x  # its statistics see the edges
    _shaken(network)
    x, t = torch.randn(1, 1, 64, 64), torch.rand(1)

    out, moved = network(x, t), network(x.roll((2, 4), (2, 3)), t)

    inner = slice(28, 36)
    torch.testing.assert_close(moved.roll((-2, -4), (2, 3))[..., inner, inner], out[..., inner, inner])


def test_a_rotation_keeps_lengths_and_products_tell_relative_positions_alone() -> None:
    rows, columns, size = 5, 7, 12
    turns = angles(rows, columns, size).double()
    query, key = torch.randn(2, 1, size, dtype=torch.float64).expand(2, rows * columns, size)

    turned = rotate(query, turns)
    products = (turned @ rotate(key, turns).mT).reshape(rows, columns, rows, columns)

    torch.testing.assert_close(turned.norm(dim=-1), query.norm(dim=-1))
    torch.testing.assert_close(products[1:, 2:, 1:, 2:], products[:-1, :-2, :-1, :-2])  # both moved by (1, 2)
    assert not torch.allclose(products[0, 0, 0, 1], products[0, 0, 1, 0])  # a row is no column


def test_a_transformer_that_is_not_told_positions_would_not_know_them() -> None:
    network = _shaken(_make(DiT))
    network.turns[0], network.turns[1] = 1, 0
    x, t, order = torch.randn(2, 1, 8, 8), torch.rand(2), torch.randperm(16)

    def moved(image: Tensor) -> Tensor:
        return F.pixel_shuffle(F.pixel_unshuffle(image, 2).flatten(2)[..., order].unflatten(2, (4, 4)), 2)

    torch.testing.assert_close(network(moved(x), t), moved(network(x, t)), rtol=1e-4, atol=1e-5)


def test_the_scale_of_a_query_is_normalised_away() -> None:
    network, x, t = _shaken(_make(DiT)), torch.randn(2, 1, 8, 8), torch.rand(2)
    before = network(x, t)
    with torch.no_grad():
        network.blocks[0].attend.weight[:32] *= 10  # queries and keys of 16 numbers each

    torch.testing.assert_close(network(x, t), before, rtol=1e-3, atol=1e-4)


@every
def test_a_network_runs_in_half_precision_beside_full_parameters(cls: Any) -> None:
    network = _shaken(_make(cls).float())
    x, t = torch.randn(2, 1, 8, 8, dtype=torch.float32), torch.rand(2, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = network(x, t)

    torch.testing.assert_close(out.float(), network(x, t), rtol=0.1, atol=0.1)


def test_parameters_of_a_transformer_are_counted_by_hand() -> None:
    width, hidden, head = 16, 48, 8
    block = 6 * width * (width + 1) + 4 * width * width + 2 * head + 3 * width * hidden
    told = 64 * width + width + width * width + width
    ends = (4 * width + width) + 2 * width * (width + 1) + 4 * (width + 1)

    assert sum(p.numel() for p in _make(DiT).parameters()) == 2 * block + told + ends


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: _make(UNet, (1, 6, 7)), ShapeError, r"needs sides that divide by 2, got 6x7: .* at most 1 factors"),
        (lambda: _make(UNet, (2,)), ShapeError, r"unet denoises images \(C, H, W\), got \(2,\)"),
        (lambda: _make(UNet, attention=(5,)), ShapeError, "no map of unet has the height 5: attention may name 8, 4"),
        (lambda: _make(UNet, multipliers=()), OptionError, "multipliers is empty"),
        (lambda: _make(DiT, (1, 8, 9)), ShapeError, "2x2 patches needs sides that divide by 2, got 8x9"),
        (lambda: _make(DiT, (2,)), ShapeError, r"dit denoises images \(C, H, W\), got \(2,\)"),
        (lambda: _make(DiT, heads=3), OptionError, "width must divide by 4 per head, got width 16 with 3 heads"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(make: Callable[[], Any], error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(("number", "most", "found"), [(48, 12, 12), (30, 7, 6), (7, 6, 1), (4, 0, 1)])
def test_groups_and_heads_divide_the_channels(number: int, most: int, found: int) -> None:
    assert divisor(number, most) == found


def _make(cls: Any, shape: Any = (1, 8, 8), out: Any = None, cond: CondSpec | None = None, **options: Any) -> Any:
    torch.manual_seed(0)
    return cls(in_shape=shape, out_shape=out or shape, cond=cond, **{**SMALL[cls], **options})


def _shaken(network: Any) -> Any:
    """The network as if trained a little: what starts at zero says something."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network.eval()
