"""Measurements that work on rows and columns apart: means kept, pseudo-inverses, and what rounding may change."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from gen_diffusion.tasks.linear import averaging, blurring

SHAPE = (1, 4, 4)


def draws() -> Tensor:
    return torch.randn(6, *SHAPE, generator=torch.Generator().manual_seed(9), dtype=torch.float64)


def test_a_blur_keeps_the_mean_and_flat_images() -> None:
    x, blur = draws(), blurring(4, 4, 0.9, 0.05)

    torch.testing.assert_close(blur(x).mean((1, 2, 3)), x.mean((1, 2, 3)))
    torch.testing.assert_close(blur(torch.ones(1, *SHAPE)), torch.ones(1, *SHAPE))
    assert (blur(x).var((1, 2, 3)) < x.var((1, 2, 3))).all()


@pytest.mark.parametrize("measure", [averaging(4, 4, 2), blurring(4, 4, 0.8, 0.1), blurring(4, 4, 0.3, 1e-3)])
def test_a_pseudo_inverse_has_the_properties_of_one(measure: Any) -> None:
    x = draws()
    told = measure.project(x)

    torch.testing.assert_close(measure.inverse(measure(x)), told)
    torch.testing.assert_close(measure.project(told), told)
    torch.testing.assert_close(measure.inverse(measure(told)), told)
    assert ((x - told) * told).sum().abs() < 1e-9  # at right angles


def test_a_measurement_is_taken_outside_autocast() -> None:
    measure, x = blurring(28, 28, 1.5, 1e-4), torch.rand(2, 1, 28, 28)
    ways = (measure, measure.inverse, measure.project)
    exact = [way(x) for way in ways]
    with torch.autocast("cpu", torch.bfloat16):
        for way, before in zip(ways, exact, strict=True):
            torch.testing.assert_close(way(x), before, rtol=1e-4, atol=0.01)  # bfloat16's inverse is off by 3


def test_a_measurement_in_single_precision_is_the_same_but_for_rounding() -> None:
    x, measure = draws().float(), blurring(4, 4, 0.8, 0.1)
    single = measure.like(x)

    for one, other in ((single, measure), (single.project, measure.project), (single.inverse, measure.inverse)):
        assert one(x).dtype == torch.float32
        torch.testing.assert_close(one(x).double(), other(x.double()), rtol=0, atol=1e-4)
