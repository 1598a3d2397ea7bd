"""Toys: the smallest sound component of a kind, to fill the slots of a component under examination.

Networks are perceptrons with one hidden layer between any shapes, told labels where they are wired to a condition.
Shapes: B batch, N numbers of a sample, K numbers per factor.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen.component import component
from gen.interfaces import (
    AdversarialLoss,
    Autoregressor,
    Corruption,
    Decoder,
    Denoiser,
    Discriminator,
    Distance,
    Encoder,
    Extractor,
    Generator,
    Likelihood,
    Posterior,
    Prior,
)
from gen.types import CondSpec, Shape

__all__ = [
    "TOYS",
    "ToyAutoregressor",
    "ToyCorruption",
    "ToyDecoder",
    "ToyDenoiser",
    "ToyDiscriminator",
    "ToyDistance",
    "ToyEncoder",
    "ToyExtractor",
    "ToyGenerator",
    "ToyLikelihood",
    "ToyLoss",
    "ToyPosterior",
    "ToyPrior",
    "normals",
]

WIDTH = 12
LOG_2PI = math.log(2 * math.pi)


class Dense(nn.Module):
    """[B, *any] → [B, *out] through one hidden layer that a label, if any, shifts; the null label serves None."""

    def __init__(self, inputs: int, out_shape: Shape, cond: CondSpec | None) -> None:
        super().__init__()
        self.enter, self.leave = nn.Linear(inputs, WIDTH), nn.Linear(WIDTH, math.prod(out_shape))
        self.out_shape, self.spec = out_shape, cond
        self.told: nn.Module | None = None
        if cond is not None:
            self.told = nn.Embedding(cond.size + 1, WIDTH) if cond.kind == "class" else nn.Linear(cond.size, WIDTH)

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        hidden = self.enter(x)
        if self.told is not None and self.spec is not None:
            if cond is None and self.spec.kind == "class":
                cond = torch.full(x.shape[:1], self.spec.null, device=x.device)
            hidden = hidden + self.told(x.new_zeros(len(x), self.spec.size) if cond is None else cond)
        return self.leave(hidden.tanh()).reshape(len(x), *self.out_shape)  # type: ignore[no-any-return]


@component
class ToyEncoder(Encoder):
    """One hidden layer."""

    def build(self) -> None:
        self.net = Dense(math.prod(self.in_shape), self.out_shape, self.cond)

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.net(x.flatten(1), cond)  # type: ignore[no-any-return]


@component
class ToyDecoder(Decoder):
    """One hidden layer."""

    def build(self) -> None:
        self.net = Dense(math.prod(self.in_shape), self.out_shape, self.cond)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.net(z.flatten(1), cond)  # type: ignore[no-any-return]


@component
class ToyGenerator(Generator):
    """One hidden layer, then tanh."""

    def build(self) -> None:
        self.net = Dense(math.prod(self.in_shape), self.out_shape, self.cond)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.net(z.flatten(1), cond).tanh()  # type: ignore[no-any-return]


@component
class ToyDiscriminator(Discriminator):
    """One hidden layer to a logit; several inputs are joined."""

    def build(self) -> None:
        self.net = Dense(math.prod(self.in_shape), (), self.cond)

    def forward(self, x: Any, cond: Tensor | None = None) -> Tensor:
        parts = (x,) if isinstance(x, Tensor) else x
        return self.net(torch.cat([part.flatten(1) for part in parts], 1), cond)  # type: ignore[no-any-return]


@component
class ToyDenoiser(Denoiser):
    """One hidden layer that reads the noise level beside x."""

    def build(self) -> None:
        self.net = Dense(math.prod(self.in_shape) + 2, self.out_shape, self.cond)

    def forward(self, x_noisy: Tensor, c_noise: Tensor, cond: Tensor | None = None) -> Tensor:
        level = c_noise.to(x_noisy.dtype).expand(len(x_noisy)).unsqueeze(1)  # [B, 1]
        return self.net(torch.cat([x_noisy.flatten(1), level.sin(), level.tanh()], 1), cond)  # type: ignore[no-any-return]


@component
class ToyAutoregressor(Autoregressor):
    """A linear map whose matrix is strictly triangular, in raster order with channels inside a pixel."""

    def build(self) -> None:
        self.size = math.prod(self.in_shape)
        self.per = math.prod(self.out_shape) // self.size  # K
        self.weight = nn.Parameter(0.3 * torch.randn(self.size, self.per, self.size))
        self.bias = nn.Parameter(0.3 * torch.randn(self.size, self.per))
        self.told: nn.Module | None = None if self.cond is None else nn.Embedding(self.cond.size + 1, self.per)

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        values = x.movedim(1, -1).reshape(len(x), -1)  # [B, N], channels inside a pixel
        factors = torch.einsum("bj,ikj->bik", values, self._masked()) + self.bias + self._shift(len(x), cond)
        sites = factors.view(len(x), *self.in_shape[1:], self.in_shape[0], self.per)
        return sites.movedim((-1, -2), (1, 2)).reshape(len(x), *self.out_shape)

    def start(self, batch: int, cond: Tensor | None = None) -> Any:
        return [self.weight.new_zeros(batch, self.size), cond]

    def step(self, cache: Any, position: int, previous: Tensor | None) -> Tensor:
        values, cond = cache
        if previous is not None:
            values[:, position - 1] = previous
        logits = torch.einsum("bj,kj->bk", values[:, :position], self.weight[position, :, :position])
        return logits + self.bias[position] + self._shift(len(values), cond)[:, 0]

    def _masked(self) -> Tensor:
        return self.weight * torch.ones_like(self.weight[:, 0]).tril(-1).unsqueeze(1)

    def _shift(self, batch: int, cond: Tensor | None) -> Tensor:
        if self.told is None or self.cond is None:
            return self.bias.new_zeros(batch, 1, self.per)
        null = torch.full((batch,), self.cond.null, device=self.bias.device)
        shift: Tensor = self.told(null if cond is None else cond)
        return shift.unsqueeze(1)


@component
class ToyPosterior(Posterior):
    """A Gaussian with its own mean and log-variance for each dimension."""

    def param_shape(self, z_shape: Shape) -> Shape:
        return (2 * z_shape[0], *z_shape[1:])

    def mean(self, params: Tensor) -> Tensor:
        return params.chunk(2, 1)[0]

    def rsample(self, params: Tensor, rng: torch.Generator | None = None) -> Tensor:
        mean, log_var = params.chunk(2, 1)
        return mean + (0.5 * log_var).exp() * normals(mean, rng)

    def log_prob(self, params: Tensor, z: Tensor) -> Tensor:
        mean, log_var = params.chunk(2, 1)
        return -0.5 * ((z - mean).square() * (-log_var).exp() + log_var + LOG_2PI).flatten(1).sum(1)

    def kl(self, params: Tensor, prior: Prior, z: Tensor) -> Tensor:
        if not isinstance(prior, ToyPrior):
            return self.log_prob(params, z) - prior.log_prob(z)
        mean, log_var = params.chunk(2, 1)
        return 0.5 * (mean.square() + log_var.exp() - 1 - log_var).flatten(1).sum(1)


@component
class ToyLikelihood(Likelihood):
    """A Gaussian around the decoder's output, with the standard deviation 0.3."""

    def param_shape(self, x_shape: Shape) -> Shape:
        return x_shape

    def log_prob(self, params: Tensor, x: Tensor) -> Tensor:
        return -0.5 * (((x - params) / 0.3).square() + LOG_2PI + 2 * math.log(0.3)).flatten(1).sum(1)

    def mean(self, params: Tensor) -> Tensor:
        return params

    def sample(self, params: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return params + 0.3 * normals(params, rng)


@component
class ToyPrior(Prior):
    """The standard normal."""

    def build(self) -> None:
        self.register_buffer("anchor", torch.zeros(1), persistent=False)

    def sample(self, n: int, rng: torch.Generator | None = None) -> Tensor:
        return normals(self.get_buffer("anchor").new_empty(n, *self.shape), rng)

    def log_prob(self, z: Tensor) -> Tensor:
        return -0.5 * (z.square() + LOG_2PI).flatten(1).sum(1)


@component
class ToyExtractor(Extractor):
    """Eight fixed projections of x, bent by tanh."""

    def build(self) -> None:
        self.project = nn.Linear(math.prod(self.in_shape), 8)

    def forward(self, x: Tensor) -> Tensor:
        return self.project(x.flatten(1)).tanh()  # type: ignore[no-any-return]


@component
class ToyDistance(Distance):
    """Half the sum of squares."""

    def __call__(self, y: Tensor, x: Tensor) -> Tensor:
        return 0.5 * (y - x).square().flatten(1).sum(1)


@component
class ToyLoss(AdversarialLoss):
    """The logistic game with the non-saturating generator."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(-real).mean() + F.softplus(fake).mean()

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        return F.softplus(-fake).mean()


@component
class ToyCorruption(Corruption):
    """A little Gaussian noise."""

    def __call__(self, x: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return x + 0.1 * normals(x, rng)


def normals(like: Tensor, rng: torch.Generator | None) -> Tensor:
    """Standard normal draws, shaped and typed like a tensor, from `rng` or the global generator."""
    if rng is None:
        return torch.randn_like(like)
    return torch.randn(like.shape, dtype=like.dtype, device=rng.device, generator=rng).to(like.device)


TOYS: dict[str, type] = {
    toy.kind: toy
    for toy in (
        ToyEncoder,
        ToyDecoder,
        ToyGenerator,
        ToyDiscriminator,
        ToyDenoiser,
        ToyAutoregressor,
        ToyPosterior,
        ToyLikelihood,
        ToyPrior,
        ToyExtractor,
        ToyDistance,
        ToyLoss,
        ToyCorruption,
    )
}
"""The toy of each kind that slots ask for."""
