"""VAE-GAN (Larsen et al. 2015, Autoencoding beyond pixels using a learned similarity metric, arXiv:1512.09300).

    feature         1/2 |f(x) - f(y)|^2,  f the discriminator's hidden layer, y the reconstruction of x
    encoder         min  feature + beta KL(q(z|x) || p(z))
    decoder         min  feature + weight * (the generator's side of the game, on what it makes)
    discriminator   min  its side of the game: x is real, what the decoder makes is not

feature is -log N(f(x); f(y), I) but for a constant, in nats (equation 8). Shapes: B batch, D latent size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from gen.component import component, option, slot
from gen.errors import OptionError
from gen.interfaces import AdversarialLoss, Phase, Posterior, Regularizer
from gen.joins import cond_of
from gen.precision import no_autocast, widen
from gen.types import Batch, DataSpec, Losses, Progress, Shapes
from gen_adversarial.game import constrain, discriminate
from gen_adversarial.joins import squashed
from gen_adversarial.pair import Pair

__all__ = ["VAEGAN"]


@component
class VAEGAN(Pair):
    """VAE-GAN: a VAE that compares what a discriminator notices, and whose decoder has to pass for the data.

    Of what the discriminator is shown as made, the first half are reconstructions and the rest draws from the prior.
    It must have a method `features(x, cond)`, as nets/conv-discriminator and gan/dcgan-discriminator do.
    """

    phase_names = ("encoder", "decoder", "discriminator")
    example: ClassVar[dict[str, object]] = {"discriminator": {"use": "nets/conv-discriminator", "width": 8}}
    posterior: Posterior = slot(default="vae/gaussian-posterior", doc="q(z|x)")
    loss: AdversarialLoss = slot(default="losses/non-saturating", doc="both sides of the game")
    regularizers: tuple[Regularizer, ...] = slot(default=(), doc="penalties on the discriminator, its weights' bounds")
    beta: float = option(1.0, min=0, max=1e6, doc="weight of the KL beside the distance of features")
    weight: float = option(
        10.0, min=0, max=1e6, doc="of the game in the decoder's turn, beside the distance of features"
    )
    squash: bool = option(
        True, doc="bring samples into the range of the data by tanh; false: as the decoder makes them"
    )

    @classmethod
    def wire(
        cls, data: DataSpec, latent: int, posterior: Posterior, conditional: bool, **_: Any
    ) -> Mapping[str, Shapes]:
        cond = cond_of(data, conditional)
        return {
            "encoder": Shapes(data.shape, posterior.param_shape((latent,)), cond),
            "decoder": Shapes((latent,), data.shape, cond),
            "discriminator": Shapes(data.shape, (), cond),
            "prior": Shapes((latent,), data.shape),
        }

    def build(self) -> None:
        Pair.build(self)
        if not hasattr(self.discriminator, "features"):
            raise OptionError(
                f"VAE-GAN compares the discriminator's features, and {type(self.discriminator).__name__} has none: "
                f"choose one with a method features(x, cond), such as nets/conv-discriminator"
            )

    def phases(self) -> Sequence[Phase]:
        return [
            Phase("encoder", train=[self.encoder, self.posterior], loss=self.encoder_loss),
            Phase("decoder", train=[self.decoder], loss=self.decoder_loss),
            Phase("discriminator", train=[self.discriminator], loss=self.discriminator_loss),
        ]

    def encoder_loss(self, batch: Batch, progress: Progress) -> Losses:
        """feature + beta * kl [], nats per sample."""
        told = self.told(batch.cond)
        params = widen(self.encoder(batch.x, told))
        with no_autocast(batch.x.device):
            z = self.posterior.rsample(params)
            kl = self.posterior.kl(params, self.prior, z).mean()
        feature = self._feature(self.decode(z, batch.cond), batch.x, told)
        return Losses(feature + self.beta * kl, {"feature": feature, "kl": kl})

    def decoder_loss(self, batch: Batch, progress: Progress) -> Losses:
        """feature + weight * the generator's side []."""
        told = self.told(batch.cond)
        with torch.no_grad():
            coded, drawn = self._code(batch.x, told), self.prior.sample(len(batch.x))  # [B, D] each
        half = len(batch.x) // 2
        again = self.decode(coded, batch.cond)  # [B, *shape]
        made = torch.cat([again[:half], self.decode(drawn[half:], None if told is None else told[half:])])
        feature = self._feature(again, batch.x, told)
        logits = self.discriminator(made, told)
        judged = None
        if self.loss.paired:
            with torch.no_grad():
                judged = self.discriminator(batch.x, told)
        game = self.loss.generator(logits, judged)
        terms = {"feature": feature, "game": game, "fake": logits.float().mean()}
        return Losses(feature + self.weight * game, terms)

    def discriminator_loss(self, batch: Batch, progress: Progress) -> Losses:
        """The discriminator's side and its penalties [], in the loss's unit."""
        told, half = self.told(batch.cond), len(batch.x) // 2
        with torch.no_grad():
            z = torch.cat([self._code(batch.x, told)[:half], self.prior.sample(len(batch.x) - half)])
            made = self.decode(z, batch.cond)
        return discriminate(self.discriminator, self.loss, self.regularizers, batch.x, made, told, progress)

    def after_step(self, phase: str, progress: Progress) -> None:
        if phase == "discriminator":
            constrain(self.discriminator, self.regularizers)

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """The mean of q(z|x), [B, D]."""
        return self.posterior.mean(widen(self.encoder(x, self.told(cond))))

    def decode(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """What the code z stands for, [B, *shape] in the range of the data."""
        return squashed(widen(self.decoder(z, self.told(cond))), self.data.domain, self.squash)

    def _code(self, x: Tensor, told: Tensor | None) -> Tensor:
        """A draw z [B, D] of q(z|x)."""
        params = widen(self.encoder(x, told))
        with no_autocast(x.device):
            return self.posterior.rsample(params)

    def _feature(self, y: Tensor, x: Tensor, told: Tensor | None) -> Tensor:
        """Half the squared distance of features, summed over them, the mean over the batch []."""
        features: Any = self.discriminator.features
        with torch.no_grad():
            wanted = widen(features(x, told))
        gap = widen(features(y, told)) - wanted
        return 0.5 * gap.square().flatten(1).sum(1).mean()
