"""A plugin of one file, as a stranger would write it: small families that exercise the spine.

Used by tests through `--plugin tests/toys.py` and, in process, through the `toys` fixture.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from gen.component import component, option, slot
from gen.hookspecs import Component, hookimpl
from gen.interfaces import Dataset, Decoder, Discriminator, Encoder, Generator, Model, Phase, Rows, Sampler
from gen.rows import TensorRows
from gen.types import Batch, CondSpec, DataSpec, Domain, Losses, Progress, Shapes


@hookimpl
def gen_components():
    return [Component(name, f"toys:{cls.__name__}") for name, cls in _COMPONENTS.items()]


@component
class Points(Dataset):
    """Random points of 6 numbers with labels, in memory or read one by one."""

    size: int = option(96, min=2, doc="training samples")
    lazy: bool = option(False, doc="read as files are, through workers")

    def open(self, split: str, root: Path) -> Rows:
        rng = torch.Generator().manual_seed({"train": 1, "val": 2, "test": 3}[split])
        n = self.size if split == "train" else 37
        x = torch.rand(n, 6, generator=rng) * 2 - 1  # [N, 6]
        cond = torch.randint(3, (n,), generator=rng)
        rows = TensorRows(DataSpec.single(Domain((6,), "vector"), CondSpec("class", 3)), x, cond)
        return LazyRows(rows) if self.lazy else rows


class LazyRows(Rows):
    lazy = True

    def __init__(self, rows: TensorRows) -> None:
        self.rows, self.spec = rows, rows.spec

    def __len__(self) -> int:
        return len(self.rows)

    def fetch(self, index: Tensor) -> Batch:
        return self.rows.fetch(index)

    def fingerprint(self) -> str:
        return self.rows.fingerprint()


def mlp(before: int, after: int, dropout: float = 0.0) -> nn.Sequential:
    return nn.Sequential(nn.Linear(before, 16), nn.Tanh(), nn.Dropout(dropout), nn.Linear(16, after))


@component
class ToyEncoder(Encoder):
    """Two layers with dropout."""

    dropout: float = option(0.2, min=0, below=1, doc="share of units dropped")

    def build(self) -> None:
        self.body = mlp(self.in_shape[0], self.out_shape[0], self.dropout)

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.body(x)


@component
class ToyDecoder(Decoder):
    """Two layers; `crooked` ones put out a number too many."""

    crooked: bool = option(False, doc="break the promise about the shape")

    def build(self) -> None:
        self.body = mlp(self.in_shape[0], self.out_shape[0] + self.crooked)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.body(z)


@component
class ToyGenerator(Generator):
    """Two layers with batch norm."""

    def build(self) -> None:
        self.body = nn.Sequential(
            nn.Linear(self.in_shape[0], 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, self.out_shape[0])
        )

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.body(z)


@component
class ToyDiscriminator(Discriminator):
    """Two layers with dropout."""

    def build(self) -> None:
        self.body = mlp(self.in_shape[0], 1, 0.2)

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.body(x).squeeze(1)


@component
class One(Model):
    """One phase: a noisy autoencoder with dropout; its loss turns bad at a chosen step."""

    phase_names = ("model",)
    encoder: Encoder = slot(default="local/encoder")
    decoder: Decoder = slot(default="local/decoder")
    bad_step: int = option(-1, doc="step at which the loss is not a number")
    bad_rank: int = option(-1, doc="process on which it is so (-1: on all)")

    @classmethod
    def wire(cls, data: DataSpec, **_):
        return {"encoder": Shapes(data.shape, (2,)), "decoder": Shapes((2,), data.shape)}

    def phases(self):
        return [Phase("model", train=[self.encoder, self.decoder], loss=self.loss)]

    def loss(self, batch: Batch, progress: Progress) -> Losses:
        z = self.encoder(batch.x)  # [B, 2]
        error = (self.decoder(z + 0.1 * torch.randn_like(z)) - batch.x).square().sum(1).mean()
        rank = torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
        bad = progress.step == self.bad_step and self.bad_rank in (-1, rank)
        return Losses(error * float("nan") if bad else error, {"error": error / batch.x[0].numel()})

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.encoder(x)

    def decode(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.decoder(z)


@component
class Two(Model):
    """Two players and a pool of past samples that belongs to each process."""

    phase_names = ("discriminator", "generator")
    generator: Generator = slot(default="local/generator")
    discriminator: Discriminator = slot(default="local/discriminator")
    norm: bool = option(True, doc="batch norm in the generator")

    @classmethod
    def wire(cls, data: DataSpec, **_):
        return {"generator": Shapes((4,), data.shape), "discriminator": Shapes(data.shape, ())}

    def build(self) -> None:
        self.per_rank = ("pool",)
        self.register_buffer("pool", torch.zeros(8, *self.data.shape))
        if not self.norm:
            self.generator.body[1] = nn.Identity()

    def phases(self):
        return [
            Phase("discriminator", train=[self.discriminator], loss=self.discriminator_loss),
            Phase("generator", train=[self.generator], loss=self.generator_loss),
        ]

    def discriminator_loss(self, batch: Batch, progress: Progress) -> Losses:
        fake = self.generator(torch.randn(len(batch.x), 4, device=batch.x.device)).detach()
        self.pool.copy_(fake[:1].expand_as(self.pool) * 0.5 + self.pool * 0.5)
        real, false = self.discriminator(batch.x), self.discriminator(fake)
        total = nn.functional.softplus(-real).mean() + nn.functional.softplus(false).mean()
        return Losses(total, {"real": real.mean()})

    def generator_loss(self, batch: Batch, progress: Progress) -> Losses:
        fake = self.generator(torch.randn(len(batch.x), 4, device=batch.x.device))
        return Losses(nn.functional.softplus(-self.discriminator(fake)).mean(), {})

    def generate(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.generator(z)


@component
class Three(Model):
    """Three players that share a part (an adversarial autoencoder): the encoder is trained by two phases."""

    phase_names = ("autoencoder", "discriminator", "encoder")
    encoder: Encoder = slot(default="local/encoder")
    decoder: Decoder = slot(default="local/decoder")
    discriminator: Discriminator = slot(default="local/discriminator")

    @classmethod
    def wire(cls, data: DataSpec, **_):
        return {
            "encoder": Shapes(data.shape, (2,)),
            "decoder": Shapes((2,), data.shape),
            "discriminator": Shapes((2,), ()),
        }

    def phases(self):
        return [
            Phase("autoencoder", train=[self.encoder, self.decoder], loss=self.autoencoder_loss),
            Phase("discriminator", train=[self.discriminator], loss=self.discriminator_loss),
            Phase("encoder", train=[self.encoder], loss=self.encoder_loss),
        ]

    def autoencoder_loss(self, batch: Batch, progress: Progress) -> Losses:
        return Losses((self.decoder(self.encoder(batch.x)) - batch.x).square().sum(1).mean(), {})

    def discriminator_loss(self, batch: Batch, progress: Progress) -> Losses:
        z = self.encoder(batch.x).detach()  # [B, 2]
        prior, posterior = self.discriminator(torch.randn_like(z)), self.discriminator(z)
        softplus = nn.functional.softplus
        return Losses(softplus(-prior).mean() + softplus(posterior).mean(), {})

    def encoder_loss(self, batch: Batch, progress: Progress) -> Losses:
        return Losses(nn.functional.softplus(-self.discriminator(self.encoder(batch.x))).mean(), {})

    def decode(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.decoder(z)


@component
class Solved(Model):
    """A Gaussian around the mean of the data, found in closed form or by descent."""

    stepwise: bool = option(False, doc="can also be trained step by step")

    phase_names = ("model",)

    def build(self) -> None:
        self.mean = nn.Parameter(torch.zeros(self.data.shape))

    def phases(self):
        return [Phase("model", train=[self], loss=self.loss)] if self.stepwise else []

    def loss(self, batch: Batch, progress: Progress) -> Losses:
        return Losses((batch.x - self.mean).square().sum(1).mean(), {})

    def solve(self, batches) -> None:
        self.mean.copy_(torch.cat([batch.x for batch in batches]).mean(0))

    def decode(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.mean + z @ torch.ones(2, 6)


@component
class Codes(Sampler):
    """Decodes random codes."""

    needs = ("decode",)

    def sample(self, model, n, *, rng, cond=None, given=None, observe=None) -> Tensor:
        return model.decode(torch.randn(n, 2, generator=rng))


@component
class Latent(Sampler):
    """Generates from random codes."""

    needs = ("generate",)

    def sample(self, model, n, *, rng, cond=None, given=None, observe=None) -> Tensor:
        return model.generate(torch.randn(n, 4, generator=rng))


_COMPONENTS = {
    "points": Points,
    "encoder": ToyEncoder,
    "decoder": ToyDecoder,
    "generator": ToyGenerator,
    "discriminator": ToyDiscriminator,
    "one": One,
    "two": Two,
    "three": Three,
    "solved": Solved,
    "codes": Codes,
    "latent": Latent,
}
