"""The variational autoencoder (Kingma and Welling 2013, Auto-Encoding Variational Bayes, arXiv:1312.6114).

    log p(x)  >=  ELBO(x)  =  E_q log p(x|z) - KL(q(z|x) || p(z))  =  -(distortion + rate)

q is the posterior that the encoder parameterises, p(x|z) the likelihood that the decoder parameterises, p(z) the prior.
Distortion and rate are both sums over dimensions, in nats per sample. With k draws of q (Burda et al. 2015,
Importance Weighted Autoencoders, arXiv:1509.00519)

    ELBO  <=  IWAE-k  =  E log 1/k sum_i p(x|z_i) p(z_i) / q(z_i|x)  <=  IWAE-(k+1)  <=  log p(x)

Shapes: B batch, D latent size, k draws.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gen.component import component, option, slot
from gen.errors import OptionError, ShapeError
from gen.interfaces import Decoder, Encoder, Likelihood, Model, Phase, Posterior, Prior
from gen.joins import check_joins, cond_of, labels_told
from gen.precision import no_autocast, widen
from gen.types import Batch, DataSpec, Losses, Progress, Shapes
from gen_vae.charge import free, warmed
from gen_vae.diagnostics import active_units
from gen_vae.joins import check_levels
from gen_vae.priors.normal import Normal

__all__ = ["VAE"]


@component
class VAE(Model):
    """Variational autoencoder: a latent variable model trained by the evidence lower bound.

    Loss: the mean over the batch of distortion + beta * rate, in nats per sample. Distortion is -E_q log p(x|z) by one
    draw of z; rate is KL(q(z|x) || p(z)), in closed form where posterior and prior have one. With beta = 1 the loss is
    -ELBO, an upper bound of -log p(x); other values make a beta-VAE (Higgins et al. 2017). `importance: k` minimises
    -IWAE-k instead. Warm-up and free bits change what training minimises; evaluation always states the bound at beta.
    """

    phase_names = ("model",)
    log_prob_kind = "lower bound"
    encoder: Encoder = slot(doc="x to the parameters of q(z|x)")
    decoder: Decoder = slot(doc="z to the parameters of p(x|z)")
    posterior: Posterior = slot(default="vae/gaussian-posterior", doc="q(z|x)")
    likelihood: Likelihood = slot(default="vae/bernoulli", doc="p(x|z)")
    prior: Prior = slot(default="vae/normal", doc="p(z)")
    latent: int = option(16, min=1, max=1_000_000, doc="size of z")
    beta: float = option(1.0, min=0, max=1e6, doc="weight of the rate; 1 = the evidence lower bound")
    warmup: int = option(0, min=0, max=100_000_000, doc="steps over which the weight of the rate rises from 0 to beta")
    free_bits: float = option(0.0, min=0, max=1e6, doc="nats of rate per dimension of z that training does not charge")
    importance: int = option(1, min=1, max=10_000, doc="draws k of the objective: 1 = ELBO, more = IWAE-k")
    draws: int = option(1, min=1, max=1_000_000, doc="draws k of log_prob, the bound IWAE-k: the more, the closer")
    conditional: bool = option(False, doc="tell encoder and decoder the labels")

    @classmethod
    def wire(
        cls, data: DataSpec, latent: int, posterior: Posterior, likelihood: Likelihood, conditional: bool, **_: Any
    ) -> Mapping[str, Shapes]:
        check_levels(likelihood, data)
        cond = cond_of(data, conditional)
        return {
            "encoder": Shapes(data.shape, posterior.param_shape((latent,)), cond),
            "decoder": Shapes((latent,), likelihood.param_shape(data.shape), cond),
            "prior": Shapes((latent,), data.shape),  # the shapes of codes, and of what a prior may learn codes from
        }

    def build(self) -> None:
        if self.importance > 1 and self.free_bits:
            raise OptionError("free_bits bounds the ELBO's rate, which importance > 1 does not have: set one of them")
        small = {"posterior": self.posterior, "likelihood": self.likelihood}
        check_joins(self, self.wire(self.data, latent=self.latent, conditional=self.conditional, **small))
        if hasattr(self.prior, "bind"):
            if self.conditional:
                raise ShapeError("this prior is made of posteriors of inputs without labels: set conditional: false")
            self.prior.bind(self._posterior)

    def phases(self) -> Sequence[Phase]:
        parts = [self.encoder, self.posterior, self.decoder, self.likelihood, self.prior]
        return [Phase("model", train=parts, loss=self.loss)]

    def loss(self, batch: Batch, progress: Progress) -> Losses:
        """distortion + beta * rate [], nats per sample; the terms are those of the bound whatever the charge."""
        told = labels_told(self.conditional, batch.cond)
        params = widen(self.encoder(batch.x, told))  # [B, *posterior.param_shape]
        active = active_units(self.posterior.mean(params))
        weight = warmed(self.beta, self.warmup, progress) if self.training else self.beta
        if self.importance > 1:
            distortion, rate = self._drawn(params, batch.x, told, self.importance)  # each [k, B]
            bound = _log_mean_exp(-distortion - weight * rate)  # [B]
            terms = {"distortion": distortion.mean(), "rate": rate.mean(), "active_units": active}
            return Losses(-bound.mean(), terms)
        distortion, rate = (term.mean() for term in self._terms(params, batch.x, told))
        terms = {"distortion": distortion, "rate": rate, "active_units": active}
        charge = self._free_rate(params, rate) if self.free_bits and self.training else rate
        return Losses(distortion + weight * charge, terms)

    def bound(self, x: Tensor, cond: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Distortion [B] by one draw of z, and rate [B], in nats; ELBO(x) = -(distortion + rate)."""
        told = labels_told(self.conditional, cond)
        return self._terms(widen(self.encoder(x, told)), x, told)

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """The code of x: the mean of q(z|x), [B, D]."""
        return self.posterior.mean(widen(self.encoder(x, labels_told(self.conditional, cond))))

    def decode(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """The mean of p(x|z), [B, *shape] in the range of the data."""
        return self.likelihood.mean(self._likelihood_params(z, cond))

    def generate(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """What a draw z of the prior stands for: `decode(z)`."""
        return self.decode(z, cond)

    def draw(self, z: Tensor, cond: Tensor | None = None, rng: torch.Generator | None = None) -> Tensor:
        """A draw of p(x|z), [B, *shape] in the range of the data."""
        return self.likelihood.sample(self._likelihood_params(z, cond), rng)

    def reconstruct(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """decode(encode(x)): the mean of p(x|z) at the mean of q(z|x)."""
        return self.decode(self.encode(x, cond), cond)

    def log_prob(self, x: Tensor, cond: Tensor | None = None, draws: int | None = None) -> Tensor:
        """A lower bound of log p(x) [B] in nats: the ELBO by one draw of z, or IWAE-k by k = `draws` of them.

        The draws are decoded one after the other, so that memory does not grow with k.
        """
        draws = self.draws if draws is None else draws
        if draws == 1:
            distortion, rate = self.bound(x, cond)
            return -(distortion + rate)
        told = labels_told(self.conditional, cond)
        params = widen(self.encoder(x, told))
        terms = [self._drawn(params, x, told, 1) for _ in range(draws)]  # k times, each [1, B]
        return _log_mean_exp(torch.cat([-distortion - rate for distortion, rate in terms]))

    def _terms(self, params: Tensor, x: Tensor, told: Tensor | None) -> tuple[Tensor, Tensor]:
        """Distortion [B] by one draw of z, and rate [B], from the parameters of q(z|x)."""
        with no_autocast(x.device):
            z = self.posterior.rsample(params)  # [B, D]
            rate = self.posterior.kl(params, self.prior, z)
        return self._distortion(z, x, told), rate

    def _drawn(self, params: Tensor, x: Tensor, told: Tensor | None, draws: int) -> tuple[Tensor, Tensor]:
        """-log p(x|z) and log q(z|x) - log p(z), each [k, B], at k draws z of q(z|x)."""
        params, x = (t.repeat(draws, *[1] * (t.ndim - 1)) for t in (params, x))  # [k B, ...]
        told = None if told is None else told.repeat(draws, *[1] * (told.ndim - 1))
        with no_autocast(x.device):
            z = self.posterior.rsample(params)
            rate = self.posterior.log_prob(params, z) - self.prior.log_prob(z)
        return self._distortion(z, x, told).unflatten(0, (draws, -1)), rate.unflatten(0, (draws, -1))

    def _distortion(self, z: Tensor, x: Tensor, told: Tensor | None) -> Tensor:
        """-log p(x|z) [B] in nats."""
        output = widen(self.decoder(z, told))  # [B, *likelihood.param_shape]
        with no_autocast(x.device):
            return -self.likelihood.log_prob(output, widen(x))

    def _free_rate(self, params: Tensor, rate: Tensor) -> Tensor:
        """The rate with its allowance: per dimension where the rate has dimensions, else the code is one group."""
        if not (isinstance(self.prior, Normal) and hasattr(self.posterior, "kl_per_dimension")):
            return rate.clamp(min=self.latent * self.free_bits)
        with no_autocast(params.device):
            return free(self.posterior.kl_per_dimension(params), self.free_bits)

    def _posterior(self, x: Tensor) -> tuple[Posterior, Tensor]:
        """q(z|x) and its parameters, for a prior that is made of posteriors."""
        return self.posterior, widen(self.encoder(x))

    def _likelihood_params(self, z: Tensor, cond: Tensor | None) -> Tensor:
        return widen(self.decoder(z, labels_told(self.conditional, cond)))


def _log_mean_exp(log_weights: Tensor) -> Tensor:
    """log of the mean over the draws, [k, B] → [B]."""
    return log_weights.logsumexp(0) - math.log(len(log_weights))
