"""EDM: a preconditioned denoiser over a wide range of noise levels (Karras et al. 2022, arXiv:2206.00364).

    D(x_noisy) = c_skip x_noisy + c_out F(c_in x_noisy, c_noise),    ln(sigma / alpha) ~ N(mean, deviation^2)

The preconditioning gives the network input and target of unit variance at every level. Written from the paper.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gen.component import component, option, slot
from gen.interfaces import NoiseSchedule
from gen.noise import Level, expand
from gen.precision import widen
from gen_diffusion.model import DenoisingModel
from gen_diffusion.ode_likelihood import ode_log_prob

__all__ = ["EDM"]


@component
class EDM(DenoisingModel):
    """EDM's denoiser: preconditioned, trained at log-normal noise levels.

    Loss: the mean squared error per dimension of F, which is the error of x weighted by
    (sigma^2 + sigma_data^2) / (sigma sigma_data)^2.
    """

    log_prob_kind = "estimate"
    schedule: NoiseSchedule = slot(default="core/edm-noise", doc="range of noise levels, and how t walks it")
    sigma_data: float = option(0.5, above=0, max=100, doc="standard deviation of the data")
    mean: float = option(-1.2, min=-20, max=20, doc="of ln(sigma/alpha) in training")
    deviation: float = option(1.2, above=0, max=20, doc="of ln(sigma/alpha) in training")
    ode_steps: int = option(32, min=1, max=10_000, doc="steps of log_prob's solver, four network calls each")
    probes: int = option(
        1, min=0, max=10_000, doc="random probes of log_prob's divergence; 0: exact, one per dimension"
    )

    @property
    def predicts(self) -> str:
        return "edm"

    def spread(self) -> float:
        return self.sigma_data

    def times(self, n: int, device: torch.device) -> Tensor:
        log_nsr = self.mean + self.deviation * torch.randn(n, device=device)
        return self.schedule.time_of(-2 * log_nsr)

    def output(self, x_noisy: Tensor, t: Tensor, level: Level, cond: Tensor | None) -> Tensor:
        variance = level.sigma**2 + (self.sigma_data * level.alpha) ** 2  # [B], of x_noisy
        c_noise = level.nsr.log() / 4
        return widen(self.denoiser(x_noisy * expand(variance.rsqrt(), x_noisy), c_noise, cond))

    def log_prob(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """An estimate of log p(x) [B] in nats, of the levels where the data have levels, by the probability flow."""
        return ode_log_prob(self, x, cond, steps=self.ode_steps, probes=self.probes)  # its t is warped already
