"""Adversarial variational Bayes (Mescheder, Nowozin and Geiger 2017, arXiv:1701.04722).

    adversary   min over T  E_x [ E_q softplus(-T(x, z)) + E_p(z) softplus(T(x, z)) ]     T* = log q(z|x) - log p(z)
    primal      min over encoder, decoder  E_x E_q [ T(x, z) - log p(x|z) ]               = -ELBO at T*

A variational autoencoder with any q that one can draw from: its KL is what a discriminator says. The derivative of T*
with respect to q vanishes in the mean (proposition 2), so only the path through z counts.

Adaptive contrast (section 3.3): with r(z|x) near q, T compares z, freed of what r knows of it, with draws of r, which
is easy, and KL = E_q [ T + log r(z|x) - log p(z) ]. Shapes: B batch, D latent size, k draws.

The paper's r is N(m, diag s^2) with the moments of q. Those are known from k draws alone, so here r is what such draws
say of the next one: Student's t with k - 1 degrees of freedom, location m and scale s sqrt(1 + 1/k) (Geisser 1993,
Predictive Inference). Of a Gaussian q its standardised draws are exactly those that T sees, so T* = 0. And its tails
are long: under a normal r a code 100 s away takes 5,000 nats off the KL, which no discriminator makes up for, and the
encoder learns to have such codes. T does not see m and s, so the KL comes out too low by the mean of KL(q || r),

    D [ h(t) + (psi((k - 1)/2) - log((k - 1)/2) + log(1 + 1/k) - log(2 pi e)) / 2 ],    h(t) the entropy of t

for a Gaussian q of 8 numbers 1.8 nats at k = 5, 1.1 at 8, 0.5 at 16 (with a normal r 4.5, 1.7 and 0.6).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from gen.component import component, option, slot
from gen.errors import OptionError
from gen.interfaces import Likelihood, Phase
from gen.joins import cond_of
from gen.precision import no_autocast, widen
from gen.types import Batch, DataSpec, Losses, Progress, Shapes
from gen_adversarial.pair import Pair
from gen_adversarial.student import log_density, student_like

__all__ = ["AVB"]

NARROWEST = 1e-4
"""The least standard deviation that adaptive contrast divides by."""
FIXED = 8
"""Pairs of opposite noises whose codes are averaged by `encode`."""


@component
class AVB(Pair):
    """Adversarial variational Bayes: a VAE with an implicit posterior, whose KL a discriminator estimates.

    The encoder reads x and noise: `noise` numbers, each a further channel that is the same everywhere. The primal loss
    is an estimate of -ELBO in nats per sample, too low while the discriminator lags behind: give the adversary more
    turns (`optim.adversary.repeat`) and a higher rate. `encode` gives the mean code over a few fixed noises.
    """

    phase_names = ("primal", "adversary")
    log_prob_kind = "estimate"
    example: ClassVar[dict[str, object]] = {"discriminator": {"use": "nets/mlp-discriminator", "hidden": [16]}}
    likelihood: Likelihood = slot(default="vae/bernoulli", doc="p(x|z)")
    noise: int = option(
        32, min=1, max=1_000_000, doc="numbers of noise that the encoder reads beside x; at least the size of z"
    )
    contrast: int = option(
        0, min=0, max=10_000, doc="draws k, 2 or more, that estimate the moments of q for adaptive contrast; 0: off"
    )

    @classmethod
    def wire(
        cls, data: DataSpec, latent: int, likelihood: Likelihood, noise: int, conditional: bool, **_: Any
    ) -> Mapping[str, Shapes]:
        cond = cond_of(data, conditional)
        channels, *sides = data.shape
        pair: Any = (data.shape, (latent,))
        return {
            "encoder": Shapes((channels + noise, *sides), (latent,), cond),
            "decoder": Shapes((latent,), likelihood.param_shape(data.shape), cond),
            "discriminator": Shapes(pair, (), cond),
            "prior": Shapes((latent,), data.shape),
        }

    def build(self) -> None:
        if self.contrast == 1:
            raise OptionError("contrast: 1 draw has no spread: give it 2 or more (8 do well), or 0 to do without")
        if self.noise < self.latent:
            raise OptionError(
                f"noise: {self.noise} is less than latent: {self.latent}: q(z|x) would lie on a surface, "
                f"where its KL is infinite; give noise: {self.latent} or more"
            )
        Pair.build(self)

    def phases(self) -> Sequence[Phase]:
        return [
            Phase("primal", train=[self.encoder, self.decoder, self.likelihood], loss=self.primal_loss),
            Phase("adversary", train=[self.discriminator], loss=self.adversary_loss),
        ]

    def primal_loss(self, batch: Batch, progress: Progress) -> Losses:
        """distortion + kl [], an estimate of -ELBO in nats per sample."""
        distortion, kl = (term.mean() for term in self.bound(batch.x, batch.cond))
        total = distortion + kl
        return Losses(total, {"distortion": distortion, "kl": kl, "elbo": -total})

    def adversary_loss(self, batch: Batch, progress: Progress) -> Losses:
        """How well codes of x are told from draws of the prior [], nats; log 4 where they are alike."""
        told = self.told(batch.cond)
        with torch.no_grad():
            coded, _ = self._contrasted(batch.x, self._drawn(batch.x, told), told)
            prior = (
                student_like(coded, self.contrast - 1) if self.contrast else self.prior.sample(len(batch.x))
            )  # [B, D]
        posterior, other = (widen(self.discriminator((batch.x, z), told)) for z in (coded, prior))  # [B] each
        total = F.softplus(-posterior).mean() + F.softplus(other).mean()
        return Losses(total, {"posterior": posterior.mean(), "prior": other.mean()})

    def bound(self, x: Tensor, cond: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Distortion [B] and the estimate of the KL [B] by one draw of z, in nats."""
        told = self.told(cond)
        z = self._drawn(x, told)
        shown, rest = self._contrasted(x, z, told)
        kl = widen(self.discriminator((x, shown), told)) + rest
        output = widen(self.decoder(z, told))
        with no_autocast(x.device):
            return -self.likelihood.log_prob(output, widen(x)), kl

    def log_prob(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """An estimate of the ELBO [B] in nats, by one draw of z: as good as the discriminator is."""
        distortion, kl = self.bound(x, cond)
        return -(distortion + kl)

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """The mean of q(z|x) over fixed noises, [B, D]: the same whatever has been drawn."""
        told = self.told(cond)
        fixed = torch.randn(FIXED, self.noise, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(x)
        codes = [widen(self.encoder(_beside(x, e.expand(len(x), -1)), told)) for e in torch.cat([fixed, -fixed])]
        return torch.stack(codes).mean(0)

    def decode(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """The mean of p(x|z), [B, *shape] in the range of the data."""
        return self.likelihood.mean(widen(self.decoder(z, self.told(cond))))

    def draw(self, z: Tensor, cond: Tensor | None = None, rng: torch.Generator | None = None) -> Tensor:
        """A draw of p(x|z), [B, *shape] in the range of the data."""
        return self.likelihood.sample(widen(self.decoder(z, self.told(cond))), rng)

    def _drawn(self, x: Tensor, told: Tensor | None) -> Tensor:
        """A draw z [B, D] of q(z|x)."""
        noise = torch.randn(len(x), self.noise, device=x.device, dtype=x.dtype)
        return widen(self.encoder(_beside(x, noise), told))

    def _contrasted(self, x: Tensor, z: Tensor, told: Tensor | None) -> tuple[Tensor, Tensor]:
        """What the discriminator is shown of z [B, D], and what its verdict leaves out of log q(z|x)/p(z) [B]."""
        if not self.contrast:
            return z, z.new_zeros(len(z))
        with torch.no_grad():
            mean, scale = self._moments(x, told)
        with no_autocast(x.device):
            shown = (z - mean) / scale
            log_r = (log_density(shown, self.contrast - 1) - scale.log()).sum(1)
            return shown, log_r - self.prior.log_prob(z)

    def _moments(self, x: Tensor, told: Tensor | None) -> tuple[Tensor, Tensor]:
        """Where `contrast` draws of q(z|x) put the next one, and their scale, [B, D] each."""
        many = x.repeat(self.contrast, *[1] * (x.ndim - 1))  # [k B, *shape]
        labels = None if told is None else told.repeat(self.contrast, *[1] * (told.ndim - 1))
        draws = self._drawn(many, labels).unflatten(0, (self.contrast, -1))  # [k, B, D]
        return draws.mean(0), draws.std(0).clamp(min=NARROWEST) * math.sqrt(1 + 1 / self.contrast)


def _beside(x: Tensor, noise: Tensor) -> Tensor:
    """x [B, C, ...] with the noise [B, N] as further channels, [B, C + N, ...]."""
    spread = noise.view(*noise.shape, *[1] * (x.ndim - 2)).expand(*noise.shape, *x.shape[2:])
    return torch.cat([x, spread], 1)
