"""What the families of this plugin share: an encoder and a decoder, a discriminator, and a prior of codes.

Shapes: B batch, D latent size.
"""

from __future__ import annotations

from abc import abstractmethod

import attrs
from torch import Tensor

from gen.component import interface, option, slot
from gen.interfaces import Decoder, Discriminator, Encoder, Model, Prior
from gen.joins import check_joins, check_serves, labels_told
from gen_adversarial.joins import settle

__all__ = ["Pair"]


@interface
class Pair(Model):
    """An encoder and a decoder between data and codes, which a discriminator brings to follow the prior."""

    encoder: Encoder = slot(doc="x to the code z, or to the parameters of q(z|x)")
    decoder: Decoder = slot(doc="z to x, or to the parameters of p(x|z)")
    discriminator: Discriminator = slot(doc="what it is shown to a logit")
    prior: Prior = slot(default="vae/normal", doc="p(z), which stands as it is")
    latent: int = option(16, min=1, max=1_000_000, doc="size of z")
    conditional: bool = option(False, doc="tell the networks the labels")

    def build(self) -> None:
        own = {field.name: getattr(self, field.name) for field in attrs.fields(type(self)) if field.name != "data"}
        check_joins(self, self.wire(self.data, **own))
        check_serves("regularizers", own.get("regularizers", ()), "discriminator")
        settle(self.prior)

    def told(self, cond: Tensor | None) -> Tensor | None:
        """What encoder and decoder are told of labels [B]."""
        return labels_told(self.conditional, cond)

    @abstractmethod
    def encode(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """The code of x, or the mean of q(z|x): [B, D]."""

    @abstractmethod
    def decode(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """What the code z [B, D] stands for, [B, *shape] in the range of the data."""

    def generate(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """What a draw z of the prior stands for: `decode(z)`."""
        return self.decode(z, cond)

    def reconstruct(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """decode(encode(x))."""
        return self.decode(self.encode(x, cond), cond)
