"""The variational autoencoder (Kingma and Welling 2013, Auto-Encoding Variational Bayes, arXiv:1312.6114).

    log p(x)  >=  ELBO(x)  =  E_q log p(x|z) - KL(q(z|x) || p(z))  =  -(distortion + rate)

q is the posterior that the encoder parameterises, p(x|z) the likelihood that the decoder parameterises, p(z) the prior.
Distortion and rate are both sums over dimensions, in nats per sample. Shapes: B batch, D latent size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gen.component import component, option, slot
from gen.interfaces import Decoder, Encoder, Likelihood, Model, Phase, Posterior, Prior
from gen.types import Batch, DataSpec, Losses, Progress, Shapes
from gen_vae.joins import check_joins, cond_of, labels_for
from gen_vae.precision import no_autocast, widen

__all__ = ["VAE"]


@component
class VAE(Model):
    """Variational autoencoder: a latent variable model trained by the evidence lower bound.

    Loss: the mean over the batch of distortion + beta * rate, in nats per sample. Distortion is -E_q log p(x|z) by one
    draw of z; rate is KL(q(z|x) || p(z)), in closed form where posterior and prior have one. With beta = 1 the loss is
    -ELBO, an upper bound of -log p(x); other values make a beta-VAE (Higgins et al. 2017).
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
    conditional: bool = option(False, doc="tell encoder and decoder the labels")

    @classmethod
    def wire(
        cls, data: DataSpec, latent: int, posterior: Posterior, likelihood: Likelihood, conditional: bool, **_: Any
    ) -> Mapping[str, Shapes]:
        cond = cond_of(data, conditional)
        return {
            "encoder": Shapes(data.shape, posterior.param_shape((latent,)), cond),
            "decoder": Shapes((latent,), likelihood.param_shape(data.shape), cond),
            "prior": Shapes((latent,), (latent,)),
        }

    def build(self) -> None:
        small = {"posterior": self.posterior, "likelihood": self.likelihood}
        check_joins(self, self.wire(self.data, latent=self.latent, conditional=self.conditional, **small))

    def phases(self) -> Sequence[Phase]:
        parts = [self.encoder, self.posterior, self.decoder, self.likelihood, self.prior]
        return [Phase("model", train=parts, loss=self.loss)]

    def loss(self, batch: Batch, progress: Progress) -> Losses:
        """distortion + beta * rate [], nats per sample."""
        distortion, rate = (term.mean() for term in self.bound(batch.x, batch.cond))
        return Losses(distortion + self.beta * rate, {"distortion": distortion, "rate": rate})

    def bound(self, x: Tensor, cond: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Distortion [B] by one draw of z, and rate [B], in nats; ELBO(x) = -(distortion + rate)."""
        told = labels_for(self.conditional, cond)
        params = widen(self.encoder(x, told))  # [B, *posterior.param_shape]
        with no_autocast(x.device):
            z = self.posterior.rsample(params)  # [B, D]
            rate = self.posterior.kl(params, self.prior, z)
        output = widen(self.decoder(z, told))  # [B, *likelihood.param_shape]
        with no_autocast(x.device):
            return -self.likelihood.log_prob(output, widen(x)), rate

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """The code of x: the mean of q(z|x), [B, D]."""
        return self.posterior.mean(widen(self.encoder(x, labels_for(self.conditional, cond))))

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

    def log_prob(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """A lower bound of log p(x) [B] in nats: the ELBO by one draw of z."""
        distortion, rate = self.bound(x, cond)
        return -(distortion + rate)

    def _likelihood_params(self, z: Tensor, cond: Tensor | None) -> Tensor:
        return widen(self.decoder(z, labels_for(self.conditional, cond)))
