"""Denoising diffusion (Ho, Jain and Abbeel 2020, Denoising Diffusion Probabilistic Models, arXiv:2006.11239).

A chain of T kernels turns data into noise; the model runs it backwards:

    q(x_i | x) = N(alpha_i x, sigma_i^2 I)          p(x_{i-1} | x_i) = N(mean of q(x_{i-1} | x_i, x = D(x_i)), variance)

L_simple trains the denoiser by the plain squared error of what it predicts; the variational bound of -log p(x) is
L_T + sum of L_i + L_0. Nichol and Dhariwal 2021 (arXiv:2102.09672) learn the variance too, by a share of the bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gen.component import component, option, slot
from gen.errors import OptionError
from gen.interfaces import NoiseSchedule
from gen.joins import cond_of
from gen.noise import Level, StepBack, convert, expand, level_at, step_back
from gen.precision import no_autocast, widen
from gen.types import Batch, DataSpec, Losses, Progress, Shapes
from gen_diffusion.bound import chain_term, variational_bound
from gen_diffusion.model import DenoisingModel

__all__ = ["DDPM"]


@component
class DDPM(DenoisingModel):
    """Denoising diffusion over a discrete chain.

    Loss: the mean squared error, per dimension, of eps, x or v. With `variance: learned` the network also puts out the
    variance of a step, trained by the bound's terms (weight T / 1000, in nats per dimension).
    """

    log_prob_kind = "lower bound"
    schedule: NoiseSchedule = slot(default="core/linear-noise", doc="alpha and sigma along the chain")
    parameterization: str = option("eps", choices=("eps", "x", "v"), doc="what the network predicts")
    steps: int = option(1000, min=2, max=100_000, doc="kernels of the chain, T")
    variance: str = option(
        "small", choices=("small", "large", "learned"), doc="of a step back: posterior's, beta, learned"
    )
    terms: int = option(0, min=0, max=100_000, doc="terms of the bound that log_prob draws, evenly spread; 0: all T")

    @classmethod
    def wire(cls, data: DataSpec, conditional: bool, variance: str, **_: Any) -> Mapping[str, Shapes]:
        channels, *sides = data.shape
        out = (2 * channels, *sides) if variance == "learned" else data.shape
        return {"denoiser": Shapes(data.shape, out, cond_of(data, conditional, kind="class"))}

    def build(self) -> None:
        with torch.device("cpu"):
            last = float(self.schedule.alpha(torch.ones(1, dtype=torch.float64)))
        if last == 0 and self.parameterization == "eps":
            raise OptionError(
                "parameterization: eps says nothing of x where the schedule ends without signal: choose v or x, or a "
                "schedule that keeps some"
            )

    @property
    def predicts(self) -> str:
        return self.parameterization

    def times(self, n: int, device: torch.device) -> Tensor:
        return torch.randint(1, self.steps + 1, (n,), device=device) / self.steps

    def output(self, x_noisy: Tensor, t: Tensor, level: Level, cond: Tensor | None) -> Tensor:
        return self._outputs(x_noisy, t, cond)[0]

    def loss(self, batch: Batch, progress: Progress) -> Losses:
        if self.variance != "learned":
            return self.simple_loss(batch)
        x, noise, t = batch.x, torch.randn_like(batch.x), self.times(len(batch.x), batch.x.device)
        with no_autocast(x.device):
            x_noisy, level = self.noisy(x, noise, t)
        prediction, fraction = self._outputs(x_noisy, t, self.told(batch.cond))
        with no_autocast(x.device):
            simple, error = self.squared_error(prediction, x, noise, level)
            clean = convert(
                prediction, x_noisy, level, self.predicts, "x"
            ).detach()  # the bound trains the variance alone
            back = self.step(t)
            term = chain_term(
                x, x_noisy, clean, t * self.steps < 1.5, back, self.log_variance(back, fraction), self.data.domain
            )
            bound = term.mean() / x[0].numel()
            return Losses(simple + self.steps / 1000 * bound, {"squared_error": error, "bound_term": bound})

    def reverse_variance(
        self, x_noisy: Tensor, t: Tensor, earlier: Tensor, cond: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The estimate of x, and the variance of x at `earlier` given x_noisy; both [B, *shape], one network call."""
        clean, log_variance = self.reverse(x_noisy, t, earlier, self.labels(cond))
        return clean, log_variance.exp().expand_as(clean)

    def reverse(self, x_noisy: Tensor, t: Tensor, earlier: Tensor, cond: Tensor | None) -> tuple[Tensor, Tensor]:
        """The estimate of x [B, *shape] and the log-variance of x at `earlier`, [B, 1, …] or [B, *shape]."""
        prediction, fraction = self._outputs(x_noisy, t, cond)
        with no_autocast(x_noisy.device):
            level = level_at(self.schedule, t)
            back = step_back(level_at(self.schedule, earlier), level)
            clean = convert(prediction, widen(x_noisy), level, self.predicts, "x")
            return clean, self.log_variance(back, fraction)

    def log_prob(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """A lower bound of log p(x) [B] in nats; with `terms`, an unbiased estimate of it."""
        return variational_bound(self, x, self.labels(cond), self.terms)

    def step(self, t: Tensor) -> StepBack:
        """The step of the chain that ends at t - 1/T."""
        return step_back(level_at(self.schedule, t - 1 / self.steps), level_at(self.schedule, t))

    def log_variance(self, back: StepBack, fraction: Tensor | None) -> Tensor:
        """log of the variance of a step back, [B, 1, …], or [B, *shape] where it is learned."""
        least = self.step(back.kernel.new_full((1,), 2 / self.steps)).variance  # the first step's own would be 0
        like = (
            fraction if fraction is not None else back.kernel.new_empty(len(back.kernel), *(1,) * len(self.data.shape))
        )
        small = expand(torch.maximum(back.variance, least).log(), like)
        large = expand(torch.maximum(back.kernel, least).log(), like)
        if fraction is None:
            return small if self.variance == "small" else large
        return fraction * large + (1 - fraction) * small

    def _outputs(self, x_noisy: Tensor, t: Tensor, cond: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """The prediction, and where learned the variance's place between small (0) and large (1)."""
        output = widen(self.denoiser(x_noisy, t, cond))
        if self.variance != "learned":
            return output, None
        prediction, place = output.chunk(2, dim=1)
        return prediction, (place + 1) / 2
