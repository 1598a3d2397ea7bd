"""The theorems that every network obeys, in float64: order, normalisation, cached steps."""

from __future__ import annotations

import math

import pytest
import torch

from gen.errors import ShapeError
from gen.types import CondSpec
from gen_autoregressive.order import factors, images, maps, values
from gen_autoregressive.recurrent import skewed, unskewed

SHAPES = [((1, 3, 3), 1), ((2, 4, 5), 2)]


@pytest.mark.parametrize(("shape", "per"), SHAPES)
def test_a_factor_depends_on_exactly_the_values_before_it(network, build_network, shape, per):
    """The Jacobian is strictly triangular, channels inside a pixel; and no value is lost."""
    net, count = build_network(network, shape, per), math.prod(shape)
    row = values(torch.randn(1, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3)))  # [1, N]
    changed = row.repeat(count + 1, 1)
    changed[torch.arange(count), torch.arange(count)] += 0.7  # row j differs at value j; the last row nowhere

    with torch.no_grad():
        out = factors(net(images(changed, shape)), shape[0])  # [N + 1, N, K]
    moved = (out[:-1] - out[-1]).abs().amax(2)  # [value changed, factor]

    assert moved.tril().max() < 1e-14
    assert (moved[:-1].amax(1) > 0).all()


def test_the_full_context_reaches_the_last_pixel(network, build_network):
    """Networks without a blind spot and with enough layers see every value before the last one."""
    if network in ("pixelcnn", "pixelrnn-row"):
        pytest.skip("it has a blind spot")
    shape = (1, 4, 4)
    net = build_network(network, shape, **({"depth": 4} if network in ("gated-pixelcnn", "pixelcnn-pp") else {}))
    row = values(torch.linspace(-1, 1, 16, dtype=torch.float64).view(1, *shape)).repeat(16, 1)
    row[torch.arange(15), torch.arange(15)] += 0.7

    with torch.no_grad():
        last = factors(net(images(row, shape)), 1)[:, -1, 0]

    assert (last[:-1] != last[-1]).all()


@pytest.mark.parametrize(("shape", "per"), [*SHAPES, ((3, 1, 4), 1), ((1, 4, 1), 2), ((1, 1, 1), 1)])
def test_cached_steps_equal_the_full_pass(network, build_network, labels, shape, per):
    net = build_network(network, shape, per, labels)
    x = torch.randn(3, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    cond = torch.tensor([2, 0, 1])
    row = values(x)

    with torch.no_grad():
        full = factors(net(x, cond), shape[0])
        cache = net.start(3, cond)
        steps = [net.step(cache, i, row[:, i - 1] if i else None) for i in range(row.shape[1])]

    torch.testing.assert_close(torch.stack(steps, 1), full, rtol=0, atol=1e-13)


def test_two_caches_do_not_disturb_each_other(network, build_network):
    net, shape = build_network(network, (1, 3, 3)), (1, 3, 3)
    rows = [values(torch.full((1, *shape), value, dtype=torch.float64)) for value in (-1.0, 1.0)]

    with torch.no_grad():
        alone = [walked(net, net.start(1), row) for row in rows]
        caches = [net.start(1), net.start(1)]
        turns = [[], []]
        for i in range(9):
            for one in (0, 1):
                turns[one].append(net.step(caches[one], i, rows[one][:, i - 1] if i else None))

    for one in (0, 1):
        assert torch.equal(torch.stack(turns[one], 1), alone[one])


def walked(net, cache, row):
    return torch.stack([net.step(cache, i, row[:, i - 1] if i else None) for i in range(row.shape[1])], 1)


def test_vectors_serve_as_conditions_and_images_are_refused(network, build_network):
    vector = CondSpec("vector", 4)
    net = build_network(network, (1, 3, 3), cond=vector)
    x = torch.zeros(2, 1, 3, 3, dtype=torch.float64)
    told = net(x, torch.tensor([[1.0, 0, 0, 0], [0.0, 0, 0, 0]]))

    assert not torch.equal(told[0], told[1])
    torch.testing.assert_close(told[1], net(x)[1])
    with pytest.raises(ShapeError, match=f"autoregressive/{network} can be told a class or a vector, not an image"):
        build_network(network, (1, 3, 3), cond=CondSpec("image", 1, (1, 3, 3)))


def test_outputs_that_do_not_fit_are_refused(network, build_network):
    with pytest.raises(ShapeError, match=rf"autoregressive/{network} goes from images .* wired from \(4,\)"):
        build_network(network, (4,))


def test_a_width_that_heads_do_not_divide_is_refused_with_the_nearest(build_network):
    with pytest.raises(ShapeError, match="width 20 is no multiple of 4 times the 2 heads: give it 16"):
        build_network("transformer", (1, 3, 3), width=20)


def test_made_sees_nothing_where_there_is_one_value(build_network):
    net = build_network("made", (1, 1, 1))

    assert net(torch.zeros(1, 1, 1, 1, dtype=torch.float64)) == net(torch.ones(1, 1, 1, 1, dtype=torch.float64))


def test_made_steps_compute_every_unit_once(build_network):
    net = build_network("made", (1, 4, 4), hidden=[7, 40])
    degrees = [net._degrees(units) for units in (7, 40)]

    for units, degree in zip((7, 40), degrees, strict=True):
        found = [net._up_to(units, d) for d in range(16)]
        assert found == [int((degree <= d).sum()) for d in range(16)]
        assert found[-1] == units


def test_skewing_is_undone_and_makes_diagonals_columns():
    x = torch.arange(12.0).view(1, 1, 3, 4)
    wide = skewed(x)

    assert wide.shape == (1, 1, 3, 6)
    assert wide[0, 0, :, 2].tolist() == [2, 5, 8]
    assert torch.equal(unskewed(wide, 4), x)


def test_factors_are_numbered_in_raster_order_channels_inside():
    x = torch.arange(24.0).view(1, 2, 3, 4)
    output = torch.arange(72.0).view(1, 6, 3, 4)  # K = 3

    assert values(x)[0, :4].tolist() == [0, 12, 1, 13]
    assert torch.equal(images(values(x), (2, 3, 4)), x)
    assert factors(output, 2)[0, 1].tolist() == [output[0, 2 * k + 1, 0, 0].item() for k in range(3)]
    assert torch.equal(maps(factors(output, 2), (2, 3, 4)), output)
