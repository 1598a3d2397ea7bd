"""CycleGAN: translation between two domains without pairs (Zhu et al. 2017, arXiv:1703.10593).

With G: a → b, F: b → a, and a discriminator for each domain,

    generators:      L(D_b, G(a)) + L(D_a, F(b)) + λ [d(F(G(a)), a) + d(G(F(b)), b)] + λ ι [d(G(b), b) + d(F(a), a)]
    discriminators:  L(D_a; a, past F(b)) + L(D_b; b, past G(a))

L is the adversarial loss, d the distance per dimension, λ = `cycle`, ι = `identity`. Without the cycle term nothing
ties a translation to its source. Past samples come from a pool. Shapes: B batch, C channels, H W sides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gen.component import component, option, slot
from gen.errors import GenError
from gen.interfaces import AdversarialLoss, Discriminator, Distance, Generator, Model, Phase
from gen.precision import widen
from gen.types import Batch, DataSpec, Losses, Progress, Shapes
from gen_translation.pool import Pool
from gen_translation.shapes import two_domains

__all__ = ["CycleGAN"]


@component
class CycleGAN(Model):
    """Two generators, each the other's inverse as far as the cycle term can have it, and a discriminator per domain.

    The domains are those of the data, a the first and b the second. Adversarial terms are in the loss's unit, mean over
    patches; cycle and identity terms are means over dimensions, in the distance's unit, as in the paper, so that its
    weights hold.
    """

    phase_names = ("generators", "discriminators")
    a_to_b: Generator = slot(doc="G: the first domain to the second")
    b_to_a: Generator = slot(doc="F: the second domain to the first")
    discriminator_a: Discriminator = slot(doc="tells samples of the first domain from translations")
    discriminator_b: Discriminator = slot(doc="tells samples of the second domain from translations")
    loss: AdversarialLoss = slot(default="losses/least-squares", doc="of both games")
    distance: Distance = slot(default="losses/l1", doc="of cycle and identity, divided by the dimensions of a sample")
    cycle: float = option(10.0, min=0, doc="weight λ of the cycle terms")
    identity: float = option(0.5, min=0, doc="weight of the identity terms, times λ (they need domains of one shape)")
    pool: int = option(50, min=0, max=100_000, doc="past translations kept for each discriminator; 0: none")

    @classmethod
    def wire(cls, data: DataSpec, **_: Any) -> Mapping[str, Shapes]:  # type: ignore[override]
        (_, a), (_, b) = two_domains(data)
        return {
            "a_to_b": Shapes(a.shape, b.shape),
            "b_to_a": Shapes(b.shape, a.shape),
            "discriminator_a": Shapes(a.shape, ()),
            "discriminator_b": Shapes(b.shape, ()),
        }

    def build(self) -> None:
        (self.a, a), (self.b, b) = two_domains(self.data)
        self.pool_a, self.pool_b = Pool(self.pool, a.shape), Pool(self.pool, b.shape)
        self.alike = a.shape == b.shape

    @property
    def targets(self) -> tuple[str, ...]:
        """The domains it can translate to."""
        return self.a, self.b

    def phases(self) -> Sequence[Phase]:
        discriminators = [self.discriminator_a, self.discriminator_b]
        return [
            Phase("generators", train=[self.a_to_b, self.b_to_a], loss=self.generators_loss),
            Phase("discriminators", train=discriminators, loss=self.discriminators_loss),
        ]

    def generators_loss(self, batch: Batch, progress: Progress) -> Losses:
        """What both generators minimise, and its terms (unweighted)."""
        a, b = batch.x[self.a], batch.x[self.b]
        fake_b, fake_a = self.a_to_b(a), self.b_to_a(b)  # [B, C, H, W]
        terms = {
            "adversarial": self.fools(self.discriminator_b, fake_b, b) + self.fools(self.discriminator_a, fake_a, a),
            "cycle": self.apart(self.b_to_a(fake_b), a) + self.apart(self.a_to_b(fake_a), b),
        }
        total = terms["adversarial"] + self.cycle * terms["cycle"]
        if self.identity and self.alike:
            terms["identity"] = self.apart(self.a_to_b(b), b) + self.apart(self.b_to_a(a), a)
            total = total + self.cycle * self.identity * terms["identity"]
        return Losses(total, terms)

    def discriminators_loss(self, batch: Batch, progress: Progress) -> Losses:
        """What both discriminators minimise, from past and present translations."""
        a, b = batch.x[self.a], batch.x[self.b]
        with torch.no_grad():
            past_b, past_a = self.pool_b(self.a_to_b(a)), self.pool_a(self.b_to_a(b))
        terms = {
            self.a: self.loss.discriminator(self.discriminator_a(a), self.discriminator_a(past_a)),
            self.b: self.loss.discriminator(self.discriminator_b(b), self.discriminator_b(past_b)),
        }
        return Losses(terms[self.a] + terms[self.b], terms)

    def fools(self, discriminator: Discriminator, fake: Tensor, real: Tensor) -> Tensor:
        """The generator's side of the game against one discriminator []."""
        return self.loss.generator(discriminator(fake), discriminator(real) if self.loss.paired else None)

    def apart(self, y: Tensor, x: Tensor) -> Tensor:
        """The mean distance per dimension []."""
        return self.distance(widen(y), widen(x)).mean() / x[0].numel()

    def translate(self, x: Tensor, to: str) -> Tensor:
        """x [B, *shape] of the other domain as a sample of the domain `to`.

        Raises:
            GenError: there is no such domain.
        """
        if to not in self.targets:
            raise GenError(f'there is no domain "{to}" to translate to: this model knows {self.a} and {self.b}')
        return widen((self.a_to_b if to == self.b else self.b_to_a)(x))
