"""BiGAN (Donahue et al. 2016, arXiv:1605.09782), also known as ALI (Dumoulin et al. 2016, arXiv:1606.00704).

    discriminator   min over D  its side of the game: (x, E(x)) is real, (G(z), z) is not
    coder           min over E, G  the same with the labels exchanged

D sees x and z together. Where it can tell no pair from the other, both have one distribution, and E inverts G (theorem
2). Encoder and decoder never see each other's output. Shapes: B batch, D latent size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from gen.component import component, option, slot
from gen.interfaces import AdversarialLoss, Phase, Regularizer
from gen.joins import cond_of
from gen.precision import widen
from gen.types import Batch, DataSpec, Losses, Progress, Shapes
from gen_adversarial.game import constrain, discriminate
from gen_adversarial.joins import squashed
from gen_adversarial.pair import Pair

__all__ = ["BiGAN"]


@component
class BiGAN(Pair):
    """Bidirectional GAN: a generator and an encoder that learns to invert it, judged together on pairs (x, z).

    The decoder is the generator. Encoder and decoder minimise the discriminator's side with the labels exchanged
    (section 3.4), whatever the loss: with losses/minimax that is the same as with losses/non-saturating.
    """

    phase_names = ("coder", "discriminator")
    example: ClassVar[dict[str, object]] = {"discriminator": {"use": "nets/mlp-discriminator", "hidden": [16]}}
    loss: AdversarialLoss = slot(default="losses/non-saturating", doc="the discriminator's side of the game")
    regularizers: tuple[Regularizer, ...] = slot(default=(), doc="penalties on the discriminator, its weights' bounds")
    squash: bool = option(
        True, doc="bring samples into the range of the data by tanh; false: as the decoder makes them"
    )

    @classmethod
    def wire(cls, data: DataSpec, latent: int, conditional: bool, **_: Any) -> Mapping[str, Shapes]:
        cond = cond_of(data, conditional)
        pair: Any = (data.shape, (latent,))
        return {
            "encoder": Shapes(data.shape, (latent,), cond),
            "decoder": Shapes((latent,), data.shape, cond),
            "discriminator": Shapes(pair, (), cond),
            "prior": Shapes((latent,), data.shape),
        }

    def phases(self) -> Sequence[Phase]:
        return [
            Phase("coder", train=[self.encoder, self.decoder], loss=self.coder_loss),
            Phase("discriminator", train=[self.discriminator], loss=self.discriminator_loss),
        ]

    def coder_loss(self, batch: Batch, progress: Progress) -> Losses:
        """The discriminator's side with real and made exchanged [], in the loss's unit."""
        told = self.told(batch.cond)
        coded, made = (self.discriminator(pair, told) for pair in self._pairs(batch))  # [B] each
        return Losses(self.loss.discriminator(made, coded), {"real": coded.float().mean(), "fake": made.float().mean()})

    def discriminator_loss(self, batch: Batch, progress: Progress) -> Losses:
        """The discriminator's side and its penalties [], in the loss's unit."""
        with torch.no_grad():
            real, fake = self._pairs(batch)
        told = self.told(batch.cond)
        return discriminate(self.discriminator, self.loss, self.regularizers, real, fake, told, progress)

    def after_step(self, phase: str, progress: Progress) -> None:
        if phase == "discriminator":
            constrain(self.discriminator, self.regularizers)

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """The code of x, [B, D]."""
        return widen(self.encoder(x, self.told(cond)))

    def decode(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """What the code z stands for, [B, *shape] in the range of the data."""
        return squashed(widen(self.decoder(z, self.told(cond))), self.data.domain, self.squash)

    def _pairs(self, batch: Batch) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """(x, E(x)) and (G(z), z), z a draw of the prior."""
        z = self.prior.sample(len(batch.x))  # [B, D]
        return (batch.x, self.encode(batch.x, batch.cond)), (self.decode(z, batch.cond), z)
