"""The vector-quantized autoencoder (van den Oord et al. 2017, Neural Discrete Representation Learning, 1711.00937).

    x → encoder → z → the nearest of V code vectors → decoder

A sample's code is a map of tokens, whole numbers below V. Gradients pass the quantizer straight through. Shapes: B
batch, D size of a code vector, V code vectors; sites are the positions of the token map.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gen.component import component, option, slot
from gen.errors import GenError, ShapeError
from gen.interfaces import Decoder, Distance, Encoder, Model, Phase
from gen.joins import check_joins, cond_of, labels_told
from gen.precision import no_autocast, widen
from gen.types import Batch, DataSpec, Losses, Progress, Shape, Shapes
from gen_vae.diagnostics import perplexity
from gen_vae.quantizers.quantizer import Quantizer

__all__ = ["VQ"]


@component
class VQ(Model):
    """Vector-quantized autoencoder: codes an image in a map of tokens and rebuilds it.

    Loss: the mean over the batch of the distance between x and its reconstruction plus the quantizer's penalty, both
    summed over a sample, in the distance's unit. Perplexity, which is logged, says how many code vectors a batch
    really uses. `encode` gives tokens, `decode` takes them. A density of tokens is a model of its own.
    """

    phase_names = ("model",)
    encoder: Encoder = slot(doc="x to a map of vectors")
    quantizer: Quantizer = slot(default="vae/codebook", doc="vectors to tokens and back")
    decoder: Decoder = slot(doc="a map of code vectors to x (or to the parameters the distance asks for)")
    distance: Distance = slot(default="losses/mse", doc="between x and its reconstruction")
    latent: int = option(16, min=1, max=1_000_000, doc="size of a code vector")
    factor: int = option(4, min=1, max=65_536, doc="an image's side divided by that of its token map")
    conditional: bool = option(False, doc="tell encoder and decoder the labels")

    @classmethod
    def wire(cls, data: DataSpec, latent: int, factor: int, conditional: bool, **_: Any) -> Mapping[str, Shapes]:
        cond, code = cond_of(data, conditional), (latent, *_sites(data.shape, factor))
        return {
            "encoder": Shapes(data.shape, code, cond),
            "quantizer": Shapes(code, code),
            "decoder": Shapes(code, data.shape, cond),
        }

    def build(self) -> None:
        options = {"latent": self.latent, "factor": self.factor, "conditional": self.conditional}
        check_joins(self, self.wire(self.data, **options))

    def phases(self) -> Sequence[Phase]:
        return [Phase("model", train=[self.encoder, self.quantizer, self.decoder], loss=self.loss)]

    def loss(self, batch: Batch, progress: Progress) -> Losses:
        """The mean distance and penalty [], in the distance's unit, per sample."""
        told = labels_told(self.conditional, batch.cond)
        quantized = self.quantizer(widen(self.encoder(batch.x, told)))
        output = self.decoder(quantized.z, told)  # [B, *shape]
        with no_autocast(output.device):
            distance = self.distance(widen(output), widen(batch.x)).mean()
        penalty, used = quantized.penalty.mean(), perplexity(self._uses(quantized.tokens))
        return Losses(distance + penalty, {"distance": distance, "penalty": penalty, "perplexity": used})

    def after_step(self, phase: str, progress: Progress) -> None:
        self.quantizer.after_step()

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """The tokens of x, [B, *sites] int64."""
        return self.quantizer(widen(self.encoder(x, labels_told(self.conditional, cond)))).tokens

    def decode(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """What tokens z [B, *sites] stand for, [B, *shape] in the range of the data.

        Raises:
            GenError: z are not whole numbers.
        """
        if z.is_floating_point():
            raise GenError(f"vae/vq decodes tokens, whole numbers below {self.quantizer.values}; got {z.dtype}")
        vectors = self.quantizer.lookup(z)
        return self.distance.mean(widen(self.decoder(vectors, labels_told(self.conditional, cond))))

    def reconstruct(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """decode(encode(x))."""
        return self.decode(self.encode(x, cond), cond)

    def _uses(self, tokens: Tensor) -> Tensor:
        """How often each code vector was chosen, [V]."""
        flat = tokens.flatten()
        zeros = torch.zeros(self.quantizer.values, device=flat.device)
        return zeros.index_add(0, flat, torch.ones(len(flat), device=flat.device))


def _sites(shape: Shape, factor: int) -> Shape:
    """The positions of the token map of an image; anything else has a single token.

    Raises:
        ShapeError: the sides of the image are not divisible.
    """
    if len(shape) != 3:
        return ()
    if shape[1] % factor or shape[2] % factor:
        raise ShapeError(
            f"factor {factor} divides the sides of images into those of token maps; got {shape[1]}x{shape[2]}: choose "
            f"another factor, or pad the images"
        )
    return (shape[1] // factor, shape[2] // factor)
