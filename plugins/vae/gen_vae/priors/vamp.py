"""The VampPrior (Tomczak and Welling 2018, VAE with a VampPrior, arXiv:1705.07120).

The best prior of a VAE is the mean of q(z|x) over the data. This one is the mean over K learned pseudo-inputs,

    p(z) = 1/K sum_k q(z|u_k)

so it is made of the model's own encoder: the model hands it q once, when it is built.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn

from gen.component import component, option, wired
from gen.errors import GenError
from gen.interfaces import Posterior, Prior
from gen.types import Shape
from gen_vae.priors.choice import choose

__all__ = ["Vamp"]


@component
class Vamp(Prior):
    """Mixture of the posteriors of K pseudo-inputs, which are learned; the rate to it is estimated from the draw of z.

    Pseudo-inputs start as standard normal draws, in the data's scale, and are not kept in its range. An unconditional
    model with a posterior can have this prior, such as vae/vae.
    """

    example: ClassVar[dict[str, object]] = {"components": 6}
    components: int = option(500, min=1, max=100_000, doc="pseudo-inputs, K; each step encodes all of them")
    out_shape: Shape = wired()  # of the data

    def build(self) -> None:
        self.inputs = nn.Parameter(torch.randn(self.components, *self.out_shape))
        self._q: Callable[[Tensor], tuple[Posterior, Tensor]] | None = None

    def bind(self, q: Callable[[Tensor], tuple[Posterior, Tensor]]) -> None:
        """Takes the model's q: inputs [K, *out_shape] → the posterior and its parameters [K, *param_shape]."""
        self._q = q

    def sample(self, n: int, rng: torch.Generator | None = None) -> Tensor:
        posterior, params = self._posteriors()
        even = params.new_full((self.components,), 1 / self.components)
        return posterior.rsample(params[choose(even, n, rng)], rng)

    def log_prob(self, z: Tensor) -> Tensor:
        posterior, params = self._posteriors()
        each = params.repeat(len(z), *[1] * (params.ndim - 1))  # [B K, *param_shape]
        nats = posterior.log_prob(each, z.repeat_interleave(self.components, 0))  # [B K]
        return nats.unflatten(0, (len(z), self.components)).logsumexp(1) - math.log(self.components)

    def _posteriors(self) -> tuple[Posterior, Tensor]:
        if self._q is None:
            raise GenError("vae/vamp is made of a model's posteriors, and this model gives it none: use it in vae/vae")
        return self._q(self.inputs)
