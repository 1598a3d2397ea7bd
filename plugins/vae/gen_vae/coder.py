"""What autoencoders and denoising autoencoders share: an encoder, a decoder and a distance, without a prior.

Shapes: B batch, D latent size.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from gen.component import interface, option, slot
from gen.interfaces import Decoder, Distance, Encoder, Model, Phase, Regularizer
from gen.joins import check_joins, check_serves, cond_of, labels_told
from gen.precision import no_autocast, widen
from gen.types import Batch, DataSpec, Losses, Progress, Shapes

__all__ = ["Coder"]


@interface
class Coder(Model):
    """Codes what it `sees` of x and rebuilds x; the derived family says what it sees."""

    phase_names = ("model",)
    encoder: Encoder = slot(doc="x to the code z")
    decoder: Decoder = slot(doc="the code z to x (or to the parameters the distance asks for)")
    distance: Distance = slot(default="losses/mse", doc="between x and its reconstruction")
    regularizers: tuple[Regularizer, ...] = slot(default=(), doc="penalties on the encoder, added to the distance")
    latent: int = option(16, min=1, max=1_000_000, doc="size of the code z")
    conditional: bool = option(False, doc="tell encoder and decoder the labels")

    @classmethod
    def wire(cls, data: DataSpec, latent: int, conditional: bool, **_: Any) -> Mapping[str, Shapes]:
        cond = cond_of(data, conditional)
        return {"encoder": Shapes(data.shape, (latent,), cond), "decoder": Shapes((latent,), data.shape, cond)}

    def build(self) -> None:
        check_joins(self, self.wire(self.data, latent=self.latent, conditional=self.conditional))
        check_serves("regularizers", self.regularizers, "encoder")

    def phases(self) -> Sequence[Phase]:
        return [Phase("model", train=[self.encoder, self.decoder], loss=self.loss)]

    @abstractmethod
    def sees(self, x: Tensor) -> Tensor:
        """What the encoder is shown of x in the loss, [B, *shape]."""

    def loss(self, batch: Batch, progress: Progress) -> Losses:
        """The mean distance and the penalties [], in the distance's unit, per sample."""
        told = labels_told(self.conditional, batch.cond)
        seen = self.sees(batch.x)
        output = self.decoder(self.encoder(seen, told), told)  # [B, *shape]
        with no_autocast(output.device):
            total = self.distance(widen(output), widen(batch.x)).mean()
        terms = {"distance": total}
        for regularizer in self.regularizers:
            penalties = regularizer(self.encoder, Batch(seen, told, batch.index), progress)
            total = total + sum(penalties.values())
            terms.update(penalties)
        return Losses(total, terms)

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """The code of x, [B, D]."""
        return widen(self.encoder(x, labels_told(self.conditional, cond)))

    def decode(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """What the code z stands for, [B, *shape] in the range of the data."""
        return self.distance.mean(widen(self.decoder(z, labels_told(self.conditional, cond))))

    def reconstruct(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """decode(encode(x)), without corruption of x."""
        return self.decode(self.encode(x, cond), cond)
