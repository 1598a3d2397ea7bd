"""What the checks of the kinds share: seeded draws, comparisons that say how far apart, integration on a grid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from gen.building import Builder
from gen.types import Shapes
from gen_sdk.checks.check import expect
from gen_sdk.checks.subject import Subject

__all__ = [
    "expect_close",
    "expect_equal",
    "expect_follows",
    "expect_reproducible",
    "expect_shape",
    "generator",
    "normal",
    "seeded",
    "shake",
    "spaced",
    "undisturbed",
    "wired",
]


def generator(seed: int = 0) -> torch.Generator:
    """A generator of its own."""
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Standard normal draws that are always the same."""
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64).to(dtype)


@contextmanager
def seeded(seed: int = 0) -> Iterator[None]:
    """The global generator starts from `seed`, and is as it was afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


@contextmanager
def undisturbed(what: str) -> Iterator[None]:
    """The block neither moves the global generator nor reseeds it."""
    with seeded(77):
        before = torch.get_rng_state()
        yield
        same = torch.equal(before, torch.get_rng_state())
    expect(same, f"{what} moves torch's global generator although it is handed one")


def expect_equal(found: Tensor, wanted: Tensor, what: str) -> None:
    """Equal to the last bit."""
    expect_shape(found, tuple(wanted.shape), what)
    gap = (found.double() - wanted.double()).abs().max().item() if found.numel() else 0.0
    expect(torch.equal(found, wanted), f"{what}: differs by up to {gap:.3g}")


def expect_close(found: Tensor, wanted: Tensor, tolerance: float, what: str) -> None:
    """Within `tolerance` of the largest value (or of 1, where that is more)."""
    expect_shape(found, tuple(wanted.shape), what)
    found, wanted = found.detach().double(), wanted.detach().double()
    expect(bool(found.isfinite().all()), f"{what}: not finite")
    gap = (found - wanted).abs().max().item() if found.numel() else 0.0
    scale = max(1.0, wanted.abs().max().item() if wanted.numel() else 0.0)
    expect(gap <= tolerance * scale, f"{what}: differs by up to {gap:.3g} where {tolerance * scale:.2g} is allowed")


def expect_shape(found: Tensor, shape: tuple[int, ...], what: str) -> None:
    """A tensor of this shape."""
    expect(isinstance(found, Tensor), f"{what}: a {type(found).__name__}, no tensor")
    expect(tuple(found.shape) == shape, f"{what}: has the shape {tuple(found.shape)}, not {shape}")


def expect_follows(draws: Tensor, points: Tensor, mass: Tensor, what: str) -> None:
    """Draws [N] of one number follow the masses [G] at increasing points: Kolmogorov's test at a level of 1e-6."""
    draws, _ = draws.double().sort()
    spacing = (points[1] - points[0]) / 2
    below = mass.double().cumsum(0)  # [G]
    found = torch.searchsorted(draws, points.double() + spacing).double() / len(draws)  # share of draws up to there
    gap = (found - below).abs().max().item()
    allowed = 2.7 / len(draws) ** 0.5 + 2e-3
    expect(gap <= allowed, f"{what}: the distribution functions lie {gap:.3f} apart, {allowed:.3f} is allowed")


def spaced(draws: Tensor, count: int = 2001, margin: float = 1.0) -> Tensor:
    """A grid [G] over the draws of one number and beyond, by `margin` times their span on either side; float64."""
    low, high = draws.min().item(), draws.max().item()
    reach = margin * max(high - low, 1e-3)
    return torch.linspace(low - reach, high + reach, count, dtype=torch.float64)


def shake(module: nn.Module, size: float = 0.2, seed: int = 1) -> Any:
    """The module with every parameter moved a little: outputs that start at zero no longer are."""
    rng = generator(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            step = torch.randn(parameter.shape, generator=rng, dtype=torch.float64)
            parameter.add_(size * step.to(parameter.dtype))
    return module


def wired(subject: Subject, shapes: Shapes | None = None, **options: Any) -> Any:
    """The component under examination with its example's options, wired to these shapes, its weights from a seed."""
    builder = Builder(classes={subject.spec.name: subject.cls})
    with seeded():
        return builder.make({"use": subject.spec.name, **subject.spec.example, **options}, shapes)


Draw = Callable[[torch.Generator | None], Tensor]


def expect_reproducible(draw: Draw, what: str, varies: bool = True) -> None:
    """Equal generators give equal draws and leave the global one alone; others, where it `varies`, differ."""
    with undisturbed(what):
        first, again, other = draw(generator(1)), draw(generator(1)), draw(generator(2))
    expect_equal(again, first, f"{what} twice under one generator's seed")
    if varies:
        expect(not torch.equal(first, other), f"{what} is the same under two seeds: the generator is not used")
