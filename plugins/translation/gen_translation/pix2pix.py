"""pix2pix: translation learned from pairs (Isola et al. 2017, arXiv:1611.07004).

    discriminator:   L(D; (x, y), (x, G(x)))
    generator:       L(D(x, G(x))) + λ d(G(x), y)

The discriminator judges pairs: whether a target looks real beside its source. The distance ties each translation to
its own target; the game makes it sharp where the distance alone would blur. Shapes: B batch, C channels, H W sides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gen.component import component, option, slot
from gen.errors import GenError, ShapeError
from gen.interfaces import AdversarialLoss, Discriminator, Distance, Generator, Model, Phase
from gen.precision import widen
from gen.types import Batch, DataSpec, Losses, Progress, Shapes
from gen_translation.shapes import two_domains

__all__ = ["Pix2Pix"]


@component
class Pix2Pix(Model):
    """A generator from the first domain of the data to the second, and a discriminator of pairs.

    The adversarial term is in the loss's unit, mean over patches; `reconstruction` is a mean over dimensions, in the
    distance's unit, as in the paper, so that its weight of 100 holds.
    """

    phase_names = ("discriminator", "generator")
    generator: Generator = slot(doc="the first domain to the second")
    discriminator: Discriminator = slot(doc="judges source and target together, their channels one after the other")
    loss: AdversarialLoss = slot(default="losses/non-saturating", doc="of the game")
    distance: Distance = slot(default="losses/l1", doc="of translation and target, divided by the dimensions")
    weight: float = option(100.0, min=0, doc="weight λ of the distance")

    @classmethod
    def wire(cls, data: DataSpec, **_: Any) -> Mapping[str, Shapes]:  # type: ignore[override]
        (_, a), (_, b) = two_domains(data)
        if len(a.shape) != 3 or a.shape[1:] != b.shape[1:]:
            raise ShapeError(f"pairs are images (C, H, W) of the same sides, these have {a.shape} and {b.shape}")
        pair = (a.shape[0] + b.shape[0], *a.shape[1:])
        return {"generator": Shapes(a.shape, b.shape), "discriminator": Shapes(pair, ())}

    def build(self) -> None:
        (self.a, _), (self.b, _) = two_domains(self.data)

    @property
    def targets(self) -> tuple[str, ...]:
        """The domain it translates to."""
        return (self.b,)

    def phases(self) -> Sequence[Phase]:
        return [
            Phase("discriminator", train=[self.discriminator], loss=self.discriminator_loss),
            Phase("generator", train=[self.generator], loss=self.generator_loss),
        ]

    def judged(self, source: Tensor, target: Tensor) -> Tensor:
        """The discriminator's logits on pairs."""
        logits: Tensor = self.discriminator(torch.cat([source, target.to(source.dtype)], 1))  # [B, Ca + Cb, H, W] in
        return logits

    def discriminator_loss(self, batch: Batch, progress: Progress) -> Losses:
        """The discriminator's side, and how it judges."""
        x, y = batch.x[self.a], batch.x[self.b]
        with torch.no_grad():
            made = self.generator(x)
        real, fake = self.judged(x, y), self.judged(x, made)
        return Losses(self.loss.discriminator(real, fake), {"real": widen(real).mean(), "fake": widen(fake).mean()})

    def generator_loss(self, batch: Batch, progress: Progress) -> Losses:
        """The generator's side, and its terms (unweighted)."""
        x, y = batch.x[self.a], batch.x[self.b]
        made = self.generator(x)  # [B, Cb, H, W]
        real = self.judged(x, y) if self.loss.paired else None
        adversarial = self.loss.generator(self.judged(x, made), real)
        reconstruction = self.distance(widen(made), widen(y)).mean() / y[0].numel()
        terms = {"adversarial": adversarial, "reconstruction": reconstruction}
        return Losses(adversarial + self.weight * reconstruction, terms)

    def translate(self, x: Tensor, to: str) -> Tensor:
        """x [B, *shape] of the first domain as a sample of the second.

        Raises:
            GenError: another domain is asked for.
        """
        if to != self.b:
            raise GenError(f'this model translates from {self.a} to {self.b} alone, not to "{to}"')
        return widen(self.generator(x))
