"""A tiny diffusion model that the component of this plugin plays a part in: enough to see it train.

    min  E w(sigma / alpha) |f(x_noisy, c) - x|²,   x_noisy = alpha x + sigma noise,   c = log SNR / 4

The network f predicts clean data (Salimans and Ho 2022, arXiv:2202.00512, on the choice). A part that the recipe leaves
out is as simple as can be. Shapes: B batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gen.component import component, option, slot
from gen.interfaces import Denoiser, Model, NoiseSchedule, Phase, Sampler, Weighting
from gen.types import Batch, DataSpec, Given, Losses, Progress, Shapes

__all__ = ["TinyDiffusion", "TinySteps"]


@component
class TinyDiffusion(Model):
    """Learns to find clean data in noisy ones, at every noise level.

    Loss: the weighted squared error of the estimate, summed over a sample, at a time drawn for each.
    """

    traits: ClassVar[dict[str, Any]] = {"stochastic": True}
    phase_names = ("model",)
    denoiser: Denoiser | None = slot(default=None, doc="x_noisy and the noise level to x; null: three layers")
    schedule: NoiseSchedule = slot(default="trigonometric-path", doc="times to alpha and sigma")
    weighting: Weighting | None = slot(default=None, doc="of noise levels; null: 1")

    @classmethod
    def wire(cls, data: DataSpec, **_: Any) -> Mapping[str, Shapes]:
        """A size is written once, here: what goes into each part, and what must come out of it."""
        return {"denoiser": Shapes(data.shape, data.shape)}

    def build(self) -> None:
        size = math.prod(self.data.shape)
        self.own_denoiser = _layers(size + 1, size) if self.denoiser is None else None

    def phases(self) -> Sequence[Phase]:
        """One player: the parts it trains, and the loss it minimises."""
        network: Any = self.own_denoiser if self.denoiser is None else self.denoiser
        return [Phase("model", train=[network], loss=self.loss)]

    def loss(self, batch: Batch, progress: Progress) -> Losses:
        x = batch.x  # [B, *shape]
        t = 0.001 + 0.998 * torch.rand(len(x), device=x.device)  # [B]
        alpha, sigma = self.schedule.alpha(t), self.schedule.sigma(t)
        x_noisy = _times(alpha, x) + _times(sigma, torch.randn_like(x))
        errors = (self.denoise(x_noisy, t).float() - x).square().flatten(1).sum(1)  # [B]
        weight = torch.ones_like(t) if self.weighting is None else self.weighting(sigma / alpha)
        return Losses((weight * errors).mean(), {"error": errors.mean()})

    def denoise(self, x_noisy: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """The estimate of clean x [B, *shape]. A method with this name has this meaning in every family."""
        c_noise = self.schedule.log_snr(t.expand(len(x_noisy))).clamp(-20, 20) / 4  # [B]
        if self.denoiser is not None:
            return self.denoiser(x_noisy, c_noise)
        assert self.own_denoiser is not None
        return self.own_denoiser(torch.cat([x_noisy.flatten(1), c_noise[:, None]], 1)).view_as(x_noisy)


@component
class TinySteps(Sampler):
    """From noise to data in equal steps of time: the estimate of x, and of the noise, placed at the next level.

    Without new noise (Song et al. 2021, DDIM, arXiv:2010.02502).
    """

    needs = ("denoise",)
    steps: int = option(25, min=1, max=100_000, doc="network evaluations for a sample")

    @torch.no_grad()
    def sample(
        self,
        model: Any,
        n: int,
        *,
        rng: torch.Generator,
        cond: Tensor | None = None,
        given: Given | None = None,
        observe: Callable[[int, int, Tensor], None] | None = None,
    ) -> Tensor:
        x = torch.randn(n, *model.data.shape, generator=rng, device=rng.device)  # [n, *shape]
        times = torch.linspace(0.999, 0.001, self.steps + 1, device=x.device)
        for number in range(self.steps):
            now, then = times[number], times[number + 1]
            alpha, sigma = model.schedule.alpha(now), model.schedule.sigma(now)
            alpha_then, sigma_then = model.schedule.alpha(then), model.schedule.sigma(then)
            clean = model.denoise(x, now.expand(n), cond)
            x = alpha_then * clean + sigma_then * (x - alpha * clean) / sigma
            if observe is not None:
                observe(number + 1, self.steps, x)
        return x


def _times(factor: Tensor, x: Tensor) -> Tensor:
    """[B] times [B, *shape]."""
    return factor.view(-1, *[1] * (x.ndim - 1)) * x


def _layers(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 256), nn.SiLU(), nn.Linear(256, 256), nn.SiLU(), nn.Linear(256, outputs))
