"""The adversarial autoencoder (Makhzani et al. 2015, Adversarial Autoencoders, arXiv:1511.05644).

    reconstruct     min over encoder, decoder  E d(g(z), x),  z ~ q(z|x)
    discriminator   min over D  its side of the game: z ~ p(z) is real, z ~ q(z) = E_x q(z|x) is not
    encoder         min over encoder  the other side

At the equilibrium the codes of all data together, the aggregated posterior q(z), follow the prior. Shapes: B batch,
D latent size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gen.component import component, option, slot
from gen.errors import ShapeError
from gen.interfaces import AdversarialLoss, Distance, Phase, Posterior, Regularizer
from gen.joins import cond_of, labels_told
from gen.precision import no_autocast, widen
from gen.types import Batch, DataSpec, Losses, Progress, Shapes
from gen_adversarial.game import constrain, discriminate
from gen_adversarial.pair import Pair

__all__ = ["AAE"]


@component
class AAE(Pair):
    """Adversarial autoencoder: an autoencoder whose codes a discriminator cannot tell from draws of the prior.

    Any prior that one can draw from will do. Without a posterior the code is a function of x; with one it is drawn.
    `labels: true` tells the discriminator the labels: with a prior that has a place for each, such as
    `adversarial/ring-mixture`, every class takes its own; with another, codes come to say nothing of the class.
    """

    phase_names = ("reconstruct", "discriminator", "encoder")
    posterior: Posterior | None = slot(doc="q(z|x); null: the encoder puts out the code")
    distance: Distance = slot(default="losses/mse", doc="between x and its reconstruction")
    loss: AdversarialLoss = slot(default="losses/non-saturating", doc="both sides of the game")
    regularizers: tuple[Regularizer, ...] = slot(default=(), doc="penalties on the discriminator, its weights' bounds")
    weight: float = option(1.0, min=0, max=1e6, doc="of the game in the encoder's turn; 0 = a plain autoencoder")
    labels: bool = option(False, doc="tell the discriminator the labels")

    @classmethod
    def wire(
        cls, data: DataSpec, latent: int, posterior: Posterior | None, conditional: bool, labels: bool, **_: Any
    ) -> Mapping[str, Shapes]:
        cond = cond_of(data, conditional)
        code = (latent,) if posterior is None else posterior.param_shape((latent,))
        return {
            "encoder": Shapes(data.shape, code, cond),
            "decoder": Shapes((latent,), data.shape, cond),
            "discriminator": Shapes((latent,), (), cond_of(data, labels, "labels", "class")),
            "prior": Shapes((latent,), data.shape),
        }

    def build(self) -> None:
        Pair.build(self)
        classes, pieces = self.discriminator.cond, getattr(self.prior, "pieces", None)
        if classes is not None and pieces not in (None, classes.size):
            raise ShapeError(
                f"labels: true gives each of the {classes.size} classes a place of the prior, and "
                f"{type(self.prior).__name__} has {pieces}: give it {classes.size}, or set labels: false"
            )

    def phases(self) -> Sequence[Phase]:
        coder = [self.encoder] if self.posterior is None else [self.encoder, self.posterior]
        return [
            Phase("reconstruct", train=[*coder, self.decoder], loss=self.reconstruct_loss),
            Phase("discriminator", train=[self.discriminator], loss=self.discriminator_loss),
            Phase("encoder", train=coder, loss=self.encoder_loss),
        ]

    def reconstruct_loss(self, batch: Batch, progress: Progress) -> Losses:
        """The mean distance [], in the distance's unit, per sample."""
        output = self.decoder(self._code(batch.x, batch.cond), self.told(batch.cond))  # [B, *shape]
        with no_autocast(output.device):
            total = self.distance(widen(output), widen(batch.x)).mean()
        return Losses(total, {"distance": total})

    def discriminator_loss(self, batch: Batch, progress: Progress) -> Losses:
        """The discriminator's side and its penalties [], in the loss's unit."""
        labels = labels_told(self.labels, batch.cond)
        with torch.no_grad():
            real, fake = self._drawn(len(batch.x), labels), self._code(batch.x, batch.cond)  # [B, D] each
        return discriminate(self.discriminator, self.loss, self.regularizers, real, fake, labels, progress)

    def encoder_loss(self, batch: Batch, progress: Progress) -> Losses:
        """The encoder's side [], in the loss's unit, times `weight`."""
        labels = labels_told(self.labels, batch.cond)
        logits = self.discriminator(self._code(batch.x, batch.cond), labels)  # [B]
        judged = None
        if self.loss.paired:
            with torch.no_grad():
                judged = self.discriminator(self._drawn(len(batch.x), labels), labels)
        return Losses(self.weight * self.loss.generator(logits, judged), {"fake": logits.float().mean()})

    def after_step(self, phase: str, progress: Progress) -> None:
        if phase == "discriminator":
            constrain(self.discriminator, self.regularizers)

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """The code of x, or the mean of q(z|x): [B, D]."""
        params = widen(self.encoder(x, self.told(cond)))
        return params if self.posterior is None else self.posterior.mean(params)

    def decode(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """What the code z stands for, [B, *shape] in the range of the data."""
        return self.distance.mean(widen(self.decoder(z, self.told(cond))))

    def _code(self, x: Tensor, cond: Tensor | None) -> Tensor:
        """z [B, D]: the code, or a draw of q(z|x)."""
        params = widen(self.encoder(x, self.told(cond)))
        if self.posterior is None:
            return params
        with no_autocast(x.device):
            return self.posterior.rsample(params)

    def _drawn(self, n: int, labels: Tensor | None) -> Tensor:
        """n draws of the prior, of the places that the labels have in it, if they have any."""
        if labels is not None and hasattr(self.prior, "sample_of"):
            return self.prior.sample_of(labels)
        return self.prior.sample(n)
