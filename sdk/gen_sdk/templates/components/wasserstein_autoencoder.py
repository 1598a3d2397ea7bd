"""A model family: its parts, their wiring, its phases, and what it can do.

The Wasserstein autoencoder with a maximum mean discrepancy (Tolstikhin et al. 2018, arXiv:1711.01558):

    min over f, g of  E d(g(f(x)), x)  +  weight MMD²(f(x), N(0, I)),   k(a, b) = C / (C + |a - b|²),   C = 2 D

Codes come to lie as draws of the normal density do, which can then be drawn from. Shapes: B batch, D latent size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from gen.component import component, option, slot
from gen.interfaces import Decoder, Encoder, Model, Phase
from gen.types import Batch, DataSpec, Losses, Progress, Shapes

__all__ = ["WassersteinAutoencoder"]


@component
class WassersteinAutoencoder(Model):
    """An autoencoder whose codes are made normal, by a kernel that compares them with normal draws.

    Loss: half the squared error of the reconstruction, summed over a sample, plus weight times MMD².
    """

    example: ClassVar[dict[str, Any]] = {"encoder": "nets/mlp-encoder", "decoder": "nets/mlp-decoder", "latent": 4}
    traits: ClassVar[dict[str, Any]] = {"stochastic": True, "coupled": True}  # MMD looks at pairs of a batch
    phase_names = ("model",)
    encoder: Encoder = slot(doc="x to the code z")
    decoder: Decoder = slot(doc="the code z to x")
    latent: int = option(8, min=1, max=1_000_000, doc="size of the code z, D")
    weight: float = option(50.0, min=0, max=1e9, doc="factor of MMD², in units of the squared error")

    @classmethod
    def wire(cls, data: DataSpec, latent: int, **_: Any) -> Mapping[str, Shapes]:
        """A size is written once, here: what goes into each part, and what must come out of it."""
        return {"encoder": Shapes(data.shape, (latent,)), "decoder": Shapes((latent,), data.shape)}

    def phases(self) -> Sequence[Phase]:
        """One player: the parts it trains, and the loss it minimises."""
        return [Phase("model", train=[self.encoder, self.decoder], loss=self.loss)]

    def loss(self, batch: Batch, progress: Progress) -> Losses:
        z = self.encoder(batch.x).float()  # [B, D]
        error = 0.5 * (self.decoder(z) - batch.x).float().square().flatten(1).sum(1).mean()
        mmd = discrepancy(z, torch.randn_like(z))
        return Losses(error + self.weight * mmd, {"reconstruction": error, "mmd": mmd})

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """The code of x, [B, D]. Methods with a fixed meaning are what samplers and metrics ask a model for."""
        return self.encoder(x)

    def decode(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """What the code z stands for, [B, *shape]."""
        return self.decoder(z)

    def reconstruct(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.decode(self.encode(x, cond), cond)

    def generate(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """What a normal draw z stands for."""
        return self.decode(z, cond)


def discrepancy(a: Tensor, b: Tensor) -> Tensor:
    """MMD² [] between two sets [B, D]: mean k(a, a') + mean k(b, b') - 2 mean k(a, b), all pairs counted."""
    c = 2.0 * a.shape[1]

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return (c / (c + (x[:, None] - y).square().sum(2))).mean()

    return kernel(a, a) + kernel(b, b) - 2 * kernel(a, b)
