"""The autoencoder (Hinton and Salakhutdinov 2006, Reducing the Dimensionality of Data with Neural Networks).

    min over f, g of  E d(g(f(x)), x)

f the encoder, g the decoder, d the distance. It codes and reconstructs; its codes follow no known density, so it does
not generate by itself. Shapes: B batch, D latent size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from gen.component import component, option, slot
from gen.interfaces import Decoder, Distance, Encoder, Model, Phase
from gen.types import Batch, DataSpec, Losses, Progress, Shapes
from gen_vae.joins import check_joins, cond_of, labels_for
from gen_vae.precision import no_autocast, widen

__all__ = ["AE"]


@component
class AE(Model):
    """Autoencoder: codes x in a few numbers and rebuilds it.

    Loss: the mean over the batch of the distance between x and its reconstruction, summed over the dimensions of a
    sample, in the distance's own unit. There is no prior, hence nothing to draw codes from.
    """

    phase_names = ("model",)
    encoder: Encoder = slot(doc="x to the code z")
    decoder: Decoder = slot(doc="the code z to x (or to the parameters the distance asks for)")
    distance: Distance = slot(default="losses/mse", doc="between x and its reconstruction")
    latent: int = option(16, min=1, max=1_000_000, doc="size of the code z")
    conditional: bool = option(False, doc="tell encoder and decoder the labels")

    @classmethod
    def wire(cls, data: DataSpec, latent: int, conditional: bool, **_: Any) -> Mapping[str, Shapes]:
        cond = cond_of(data, conditional)
        return {"encoder": Shapes(data.shape, (latent,), cond), "decoder": Shapes((latent,), data.shape, cond)}

    def build(self) -> None:
        check_joins(self, self.wire(self.data, latent=self.latent, conditional=self.conditional))

    def phases(self) -> Sequence[Phase]:
        return [Phase("model", train=[self.encoder, self.decoder], loss=self.loss)]

    def loss(self, batch: Batch, progress: Progress) -> Losses:
        """The mean distance [], in the distance's unit, per sample."""
        told = labels_for(self.conditional, batch.cond)
        output = self.decoder(self.encoder(batch.x, told), told)  # [B, *shape]
        with no_autocast(output.device):
            distance = self.distance(widen(output), batch.x).mean()
        return Losses(distance, {"distance": distance})

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """The code of x, [B, D]."""
        return widen(self.encoder(x, labels_for(self.conditional, cond)))

    def decode(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """What the code z stands for, [B, *shape] in the range of the data."""
        return self.distance.mean(widen(self.decoder(z, labels_for(self.conditional, cond))))

    def reconstruct(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """decode(encode(x))."""
        return self.decode(self.encode(x, cond), cond)
