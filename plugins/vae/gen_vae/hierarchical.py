"""The variational autoencoder of two levels (Rezende et al. 2014, arXiv:1401.4082; Burda et al. 2015, 1509.00519).

    p(x, z, z2) = p(x|z) p(z|z2) p(z2),   q(z, z2|x) = q(z|x) q(z2|z)
    log p(x)  >=  E log p(x|z)  -  E log q(z|x)/p(z|z2)  -  E KL(q(z2|z) || p(z2))

p(z|z2) is a prior of z that a second decoder learns. Shapes: B batch, D size of z, E size of z2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gen.component import component, option, slot
from gen.interfaces import Decoder, Encoder, Likelihood, Model, Phase, Posterior, Prior
from gen.joins import check_joins, cond_of, labels_told
from gen.precision import no_autocast, widen
from gen.types import Batch, DataSpec, Losses, Progress, Shapes
from gen_vae.charge import warmed
from gen_vae.diagnostics import active_units
from gen_vae.joins import check_levels

__all__ = ["Hierarchical"]


@component
class Hierarchical(Model):
    """Variational autoencoder with two levels of latents: z2 → z → x.

    Loss: the mean over the batch of distortion + beta * (rate + upper_rate), in nats per sample. `rate` is what z costs
    given z2, by the draws at hand (it may be below 0 for a single draw, not in the mean over z and z2), `upper_rate`
    what z2 costs, KL(q(z2|z) || p(z2)). The code of x is z; a new sample starts from z2. Evaluation states the bound
    at beta, without warm-up.
    """

    phase_names = ("model",)
    log_prob_kind = "lower bound"
    encoder: Encoder = slot(doc="x to the parameters of q(z|x)")
    upper_encoder: Encoder = slot(default="nets/mlp-encoder", doc="z to the parameters of q(z2|z)")
    upper_decoder: Decoder = slot(default="nets/mlp-decoder", doc="z2 to the parameters of p(z|z2)")
    decoder: Decoder = slot(doc="z to the parameters of p(x|z)")
    posterior: Posterior = slot(default="vae/gaussian-posterior", doc="the form of q(z|x), q(z2|z) and p(z|z2)")
    likelihood: Likelihood = slot(default="vae/bernoulli", doc="p(x|z)")
    prior: Prior = slot(default="vae/normal", doc="p(z2)")
    latent: int = option(32, min=1, max=1_000_000, doc="size of z")
    upper: int = option(16, min=1, max=1_000_000, doc="size of z2")
    beta: float = option(1.0, min=0, max=1e6, doc="weight of the rates; 1 = the evidence lower bound")
    warmup: int = option(0, min=0, max=100_000_000, doc="steps over which the weight of the rates rises from 0 to beta")
    draws: int = option(1, min=1, max=1_000_000, doc="draws k of log_prob, the bound IWAE-k: the more, the closer")
    conditional: bool = option(False, doc="tell encoder and decoder the labels")

    @classmethod
    def wire(
        cls,
        data: DataSpec,
        latent: int,
        upper: int,
        posterior: Posterior,
        likelihood: Likelihood,
        conditional: bool,
        **_: Any,
    ) -> Mapping[str, Shapes]:
        check_levels(likelihood, data)
        cond, lower_params = cond_of(data, conditional), posterior.param_shape((latent,))
        return {
            "encoder": Shapes(data.shape, lower_params, cond),
            "upper_encoder": Shapes((latent,), posterior.param_shape((upper,))),
            "upper_decoder": Shapes((upper,), lower_params),
            "decoder": Shapes((latent,), likelihood.param_shape(data.shape), cond),
            "prior": Shapes((upper,), (latent,)),
        }

    def build(self) -> None:
        small = {"posterior": self.posterior, "likelihood": self.likelihood}
        sizes = {"latent": self.latent, "upper": self.upper, "conditional": self.conditional}
        check_joins(self, self.wire(self.data, **sizes, **small))
        if hasattr(self.prior, "bind"):
            self.prior.bind(self._upper_posterior)

    def phases(self) -> Sequence[Phase]:
        networks = [self.encoder, self.upper_encoder, self.upper_decoder, self.decoder]
        return [Phase("model", train=[*networks, self.posterior, self.likelihood, self.prior], loss=self.loss)]

    def loss(self, batch: Batch, progress: Progress) -> Losses:
        """distortion + beta * (rate + upper_rate) [], nats per sample."""
        params = self._lower(batch.x, batch.cond)
        weight = warmed(self.beta, self.warmup, progress) if self.training else self.beta
        distortion, rate, upper = (term.mean() for term in self._terms(params, batch.x, batch.cond))
        active = active_units(self.posterior.mean(params))
        terms = {"distortion": distortion, "rate": rate, "upper_rate": upper, "active_units": active}
        return Losses(distortion + weight * (rate + upper), terms)

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """The code of x: the mean of q(z|x), [B, D]."""
        return self.posterior.mean(self._lower(x, cond))

    def decode(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """The mean of p(x|z), [B, *shape] in the range of the data."""
        return self.likelihood.mean(widen(self.decoder(z, labels_told(self.conditional, cond))))

    def generate(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """What a draw z2 [B, E] of the prior stands for: `decode` of the mean of p(z|z2)."""
        return self.decode(self.posterior.mean(widen(self.upper_decoder(z))), cond)

    def draw(self, z: Tensor, cond: Tensor | None = None, rng: torch.Generator | None = None) -> Tensor:
        """A draw of p(x|z2) [B, *shape], through a draw of p(z|z2)."""
        lower = self.posterior.rsample(widen(self.upper_decoder(z)), rng)
        return self.likelihood.sample(widen(self.decoder(lower, labels_told(self.conditional, cond))), rng)

    def reconstruct(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """decode(encode(x)): the mean of p(x|z) at the mean of q(z|x)."""
        return self.decode(self.encode(x, cond), cond)

    def log_prob(self, x: Tensor, cond: Tensor | None = None, draws: int | None = None) -> Tensor:
        """A lower bound of log p(x) [B] in nats: the ELBO by one draw of z and z2, or IWAE-k by k = `draws` of them."""
        draws = self.draws if draws is None else draws
        params = self._lower(x, cond)
        if draws == 1:
            return -torch.stack(self._terms(params, x, cond)).sum(0)
        weights = [-torch.stack(self._terms(params, x, cond, closed=False)).sum(0) for _ in range(draws)]
        return torch.stack(weights).logsumexp(0) - math.log(draws)

    def _upper_posterior(self, z: Tensor) -> tuple[Posterior, Tensor]:
        """q(z2|z) and its parameters, for a prior that is made of posteriors."""
        return self.posterior, widen(self.upper_encoder(z))

    def _lower(self, x: Tensor, cond: Tensor | None) -> Tensor:
        """The parameters of q(z|x)."""
        return widen(self.encoder(x, labels_told(self.conditional, cond)))

    def _terms(
        self, params: Tensor, x: Tensor, cond: Tensor | None, closed: bool = True
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Distortion, rate and upper rate, each [B], by one draw; `closed` takes the upper rate's closed form."""
        q = self.posterior
        with no_autocast(x.device):
            z = q.rsample(params)  # [B, D]
        above = widen(self.upper_encoder(z))
        with no_autocast(x.device):
            z2 = q.rsample(above)  # [B, E]
            upper = q.kl(above, self.prior, z2) if closed else q.log_prob(above, z2) - self.prior.log_prob(z2)
        below = widen(self.upper_decoder(z2))
        output = widen(self.decoder(z, labels_told(self.conditional, cond)))
        with no_autocast(x.device):
            rate = q.log_prob(params, z) - q.log_prob(below, z)
            return -self.likelihood.log_prob(output, widen(x)), rate, upper
