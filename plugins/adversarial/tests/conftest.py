"""Small models to put the theorems to, with networks of nets and a discriminator that knows all quadrics."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gen.component import component
from gen.interfaces import Discriminator, Encoder, Model
from gen.types import Batch, CondSpec, DataSpec, Domain, Shape
from gen_adversarial.aae import AAE
from gen_adversarial.avb import AVB
from gen_adversarial.bigan import BiGAN
from gen_adversarial.vae_gan import VAEGAN
from gen_losses.adversarial import NonSaturating
from gen_nets.conv import ConvDecoder, ConvDiscriminator, ConvEncoder
from gen_nets.mlp import MLPDiscriminator
from gen_sdk.checks.toys import ToyDistance, ToyLikelihood, ToyPosterior, ToyPrior

SHAPE, LATENT, CLASSES = (1, 8, 8), 3, CondSpec("class", 4)
FAMILIES = {"aae": AAE, "avb": AVB, "vae-gan": VAEGAN, "bigan": BiGAN}


@component
class Affine(Encoder):
    """x to matrix x + offset: an encoder or a decoder given outright."""

    def build(self) -> None:
        self.map = nn.Linear(self.in_shape[0], self.out_shape[0])

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.map(x)


@component
class Quadric(Discriminator):
    """A linear map of all products of two of the numbers it is shown, of the numbers and of 1."""

    def build(self) -> None:
        parts = self.in_shape if isinstance(self.in_shape[0], tuple) else (self.in_shape,)
        size = 1 + sum(math.prod(part) for part in parts)
        self.rows, self.columns = torch.triu_indices(size, size).tolist()
        self.map = nn.Linear(len(self.rows), 1, bias=False)
        nn.init.zeros_(self.map.weight)

    def forward(self, x: Any, cond: Tensor | None = None) -> Tensor:
        flat = torch.cat([part.flatten(1) for part in (x if isinstance(x, tuple) else (x,))], 1)
        one = torch.cat([flat.new_ones(len(flat), 1), flat], 1)
        return self.map(one[:, self.rows] * one[:, self.columns]).squeeze(1)


def small(family: str, data: DataSpec, **options: Any) -> Any:
    """What a recipe's builder does: wire, then build the networks with those shapes."""
    cls: type[Model] = FAMILIES[family]
    own = {
        "aae": {"posterior": None, "distance": ToyDistance(), "loss": NonSaturating(), "labels": False},
        "avb": {"likelihood": ToyLikelihood(), "noise": 5},
        "vae-gan": {"posterior": ToyPosterior(), "loss": NonSaturating()},
        "bigan": {"loss": NonSaturating()},
    }[family]
    fields: dict[str, Any] = {"latent": LATENT, "conditional": False, **own}
    makers = {
        "encoder": lambda **w: ConvEncoder(width=4, **w),
        "decoder": lambda **w: ConvDecoder(width=4, **w),
        "discriminator": (lambda **w: ConvDiscriminator(width=4, **w))
        if family == "vae-gan"
        else (lambda **w: MLPDiscriminator(hidden=(12,), **w)),
        "prior": ToyPrior,
    }
    makers |= {name: options.pop(name) for name in list(options) if name in makers}
    fields |= options
    for name, shapes in cls.wire(data, **fields).items():
        wired = {"in_shape": shapes.in_shape, "out_shape": shapes.out_shape, "cond": shapes.cond}
        fields[name] = makers[name](**({"shape": shapes.in_shape} if name == "prior" else wired))
    return cls(data=data, **fields)


@pytest.fixture
def make() -> Callable[..., Any]:
    """make(family, shape=…, labels=…, encoder=…, …) → a seeded model; makers of parts are called with their shapes."""

    def build(family: str, shape: Shape = SHAPE, cond: CondSpec | None = CLASSES, **options: Any) -> Any:
        torch.manual_seed(0)
        modality: Any = "image" if len(shape) == 3 else "vector"
        return small(family, DataSpec.single(Domain(shape, modality), cond), **options)

    return build


@pytest.fixture
def batch() -> Batch:
    x = torch.rand(6, *SHAPE, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return Batch(x, torch.arange(6) % 4, torch.arange(6))


@pytest.fixture
def affine() -> type[Affine]:
    return Affine


@pytest.fixture
def quadric() -> type[Quadric]:
    return Quadric
