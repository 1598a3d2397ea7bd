"""Small data of two domains, and parts whose effect is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from gen.component import component, option
from gen.interfaces import AdversarialLoss, Discriminator, Generator
from gen.types import Batch, DataSpec, Domain, Progress
from gen_translation.cyclegan import CycleGAN

SHAPE = (1, 8, 8)


@component
class Scale(Generator):
    """z times a number: the inverse of another one."""

    by: float = option(1.0, doc="the number")

    def build(self) -> None:
        self.weight = nn.Parameter(torch.tensor(self.by))

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        return z * self.weight


@component
class Mean(Discriminator):
    """The mean of x, times a weight."""

    def build(self) -> None:
        self.weight = nn.Parameter(torch.tensor(1.0))

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return x.flatten(1).mean(1) * self.weight


@component
class Squares(AdversarialLoss):
    """Least squares."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return (real - 1).square().mean() + fake.square().mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        assert real is None, "not a paired loss"
        return (fake - 1).square().mean()


@component
class Difference(AdversarialLoss):
    """A paired loss."""

    paired = True

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return (fake - real).mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        assert real is not None, "a paired loss is told about real samples"
        return (real - fake).mean()


@pytest.fixture
def spec() -> Callable[..., DataSpec]:
    return lambda a=SHAPE, b=SHAPE, **domain: DataSpec({"a": Domain(a, **domain), "b": Domain(b, **domain)})


@pytest.fixture
def scaled(spec: Callable[..., DataSpec]) -> Callable[..., CycleGAN]:
    """A CycleGAN whose generators multiply by `forth` and by `back`."""

    def make(forth: float, back: float, loss: AdversarialLoss | None = None, **options: object) -> CycleGAN:
        shapes = {"in_shape": SHAPE, "out_shape": SHAPE}
        return CycleGAN(
            data=spec(),
            a_to_b=Scale(by=forth, **shapes),
            b_to_a=Scale(by=back, **shapes),
            discriminator_a=Mean(**shapes),
            discriminator_b=Mean(**shapes),
            loss=loss or Squares(),
            **options,
        )

    return make


@pytest.fixture
def paired_loss() -> AdversarialLoss:
    return Difference()


@pytest.fixture
def batch() -> Batch:
    """16 samples of either domain."""
    rng = torch.Generator().manual_seed(0)
    draw = {name: torch.rand(16, *SHAPE, generator=rng) * 2 - 1 for name in ("a", "b")}
    return Batch(draw, None, torch.arange(16))


@pytest.fixture
def start() -> Progress:
    return Progress(0, 100)
