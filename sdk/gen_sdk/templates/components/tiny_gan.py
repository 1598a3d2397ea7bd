"""A tiny adversarial model that the component of this plugin plays a part in: enough to see it train.

    D: min  loss.discriminator(D(x), D(G(z)))        G: min  loss.generator(D(G(z))),   z ~ N(0, I)

(Goodfellow et al. 2014, arXiv:1406.2661.) A part that the recipe leaves out is as simple as can be. Shapes: B batch, D
latent size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from gen.component import component, option, slot
from gen.interfaces import AdversarialLoss, Discriminator, Generator, Model, Phase, Sampler
from gen.types import Batch, DataSpec, Given, Losses, Progress, Shapes

__all__ = ["TinyGAN", "TinyNoise"]


@component
class TinyGAN(Model):
    """Two players: a discriminator tells data from samples, a generator makes samples that it takes for data."""

    traits: ClassVar[dict[str, Any]] = {"stochastic": True}
    phase_names = ("discriminator", "generator")
    generator: Generator | None = slot(default=None, doc="z to a sample; null: two layers")
    discriminator: Discriminator | None = slot(default=None, doc="x to a logit; null: two layers")
    loss: AdversarialLoss | None = slot(default=None, doc="of both players; null: the non-saturating one")
    latent: int = option(16, min=1, max=1_000_000, doc="size of z, D")

    @classmethod
    def wire(cls, data: DataSpec, latent: int, **_: Any) -> Mapping[str, Shapes]:
        """A size is written once, here: what goes into each part, and what must come out of it."""
        return {"generator": Shapes((latent,), data.shape), "discriminator": Shapes(data.shape, ())}

    def build(self) -> None:
        size = math.prod(self.data.shape)
        paint = [_layers(self.latent, size), nn.Tanh(), nn.Unflatten(1, self.data.shape)]
        judge = [nn.Flatten(), _layers(size, 1), nn.Flatten(0)]
        self.own_generator = nn.Sequential(*paint) if self.generator is None else None
        self.own_discriminator = nn.Sequential(*judge) if self.discriminator is None else None

    def phases(self) -> Sequence[Phase]:
        """Each player's turn: the parts it trains, and its loss. The parts of the others stand still."""
        return [
            Phase("discriminator", train=[self.judge], loss=self.discriminator_loss),
            Phase("generator", train=[self.paint], loss=self.generator_loss),
        ]

    def discriminator_loss(self, batch: Batch, progress: Progress) -> Losses:
        real, fake = self.judge(batch.x), self.judge(self.drawn(batch).detach())  # [B] each
        if self.loss is not None:
            total = self.loss.discriminator(real, fake)
        else:
            total = softplus(-real).mean() + softplus(fake).mean()
        return Losses(total, {"real": real.mean(), "fake": fake.mean()})

    def generator_loss(self, batch: Batch, progress: Progress) -> Losses:
        fake = self.judge(self.drawn(batch))  # [B]
        total = softplus(-fake).mean() if self.loss is None else self.loss.generator(fake)
        return Losses(total, {})

    def generate(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """What z stands for, [B, *shape]. Methods with a fixed meaning are what samplers and metrics ask for."""
        return self.paint(z)

    def drawn(self, batch: Batch) -> Tensor:
        """As many samples as the batch has, [B, *shape]."""
        return self.paint(torch.randn(len(batch.x), self.latent, device=batch.x.device, dtype=batch.x.dtype))

    @property
    def paint(self) -> Any:
        return self.own_generator if self.generator is None else self.generator

    @property
    def judge(self) -> Any:
        return self.own_discriminator if self.discriminator is None else self.discriminator


@component
class TinyNoise(Sampler):
    """New samples: z ~ N(0, I), then what the generator makes of it."""

    needs = ("generate",)

    @torch.no_grad()
    def sample(
        self,
        model: Any,
        n: int,
        *,
        rng: torch.Generator,
        cond: Tensor | None = None,
        given: Given | None = None,
        observe: Callable[[int, int, Tensor], None] | None = None,
    ) -> Tensor:
        z = torch.randn(n, model.latent, generator=rng, device=rng.device)  # [n, D]
        return model.generate(z, cond)


def _layers(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 128), nn.LeakyReLU(0.2), nn.Linear(128, outputs))
