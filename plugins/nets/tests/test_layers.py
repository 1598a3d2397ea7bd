"""The layers against closed forms: gains, resampling without a checkerboard, groups."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from gen_nets.layers import ACTIVATIONS, GAINS, activation, conv, downsample, linear, map_norm, upsample


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gain_keeps_the_second_moment_of_a_standard_normal(name):
    h = torch.linspace(-12, 12, 200_001, dtype=torch.float64)
    density = torch.exp(-0.5 * h**2) / (2 * torch.pi) ** 0.5

    moment = torch.trapezoid(activation(name)(h) ** 2 * density, h)
    assert moment.item() * GAINS[name] ** 2 == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    "make", [linear, lambda i, o: conv(i, o, 3), downsample, upsample], ids=["linear", "conv", "down", "up"]
)
def test_layer_keeps_the_second_moment(make):
    torch.manual_seed(0)
    layer = make(64, 64)
    shape = (256, 64) if isinstance(layer, torch.nn.Linear) else (16, 64, 16, 16)

    h = layer(torch.randn(shape))
    inner = h if h.ndim == 2 else h[:, :, 2:-2, 2:-2]  # the border sees the padding
    assert inner.square().mean().item() == pytest.approx(1, rel=0.05)


def test_upsampling_starts_as_nearest_followed_by_a_convolution():
    torch.manual_seed(0)
    layer = upsample(3, 5).double()
    x = torch.randn(2, 3, 6, 4, dtype=torch.float64)
    inverse = torch.tensor([[0, 0, 0, 1], [-1, 1, 0, 0], [1, 0, 0, 0]], dtype=torch.float64)  # 4 taps back to 3
    taps = (inverse @ layer.weight @ inverse.T).transpose(0, 1)

    expected = F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), taps, padding=1)
    torch.testing.assert_close(layer(x), expected, rtol=1e-6, atol=1e-6)


def test_upsampling_starts_without_a_checkerboard():
    torch.manual_seed(0)
    inner = upsample(8, 4)(torch.ones(1, 8, 6, 6))[..., 1:-1, 1:-1]

    torch.testing.assert_close(inner, inner[..., :1, :1].expand_as(inner), rtol=1e-5, atol=1e-5)


def test_downsampling_reads_every_pixel_equally_often():
    layer = downsample(1, 1)
    torch.nn.init.ones_(layer.weight)
    x = torch.zeros(1, 1, 8, 8, requires_grad=True)

    layer(x).sum().backward()
    assert set(x.grad[..., 1:-1, 1:-1].flatten().tolist()) == {4.0}


@pytest.mark.parametrize(
    ("channels", "groups"), [(1, 1), (6, 1), (8, 2), (32, 8), (20, 5), (128, 32), (512, 32), (130, 2)]
)
def test_groups_divide_the_channels_and_hold_at_least_four(channels, groups):
    norm = map_norm("group", channels)

    assert norm.num_groups == groups
    assert channels // groups >= min(4, channels)


def test_layer_norm_of_a_map_takes_channels_and_positions_together():
    h = torch.randn(3, 4, 5, 5) * 2 + 1

    torch.testing.assert_close(map_norm("layer", 4)(h), F.layer_norm(h, h.shape[1:]))
