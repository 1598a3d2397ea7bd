"""Flow matching: the velocity of a path from data to noise, by regression (Lipman et al. 2023, arXiv:2210.02747).

    x_noisy = alpha(t) x + sigma(t) noise,    velocity = alpha'(t) x + sigma'(t) noise,    loss = E || v - velocity ||^2

With the linear path, velocity = noise - x (rectified flow, Liu et al. 2023, arXiv:2209.03003). Integrated from t = 1
back to 0 the velocity carries noise to data.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gen.component import component, option, slot
from gen.interfaces import NoiseSchedule
from gen.noise import Level
from gen.precision import widen
from gen_diffusion.coupling import couple
from gen_diffusion.model import DenoisingModel
from gen_diffusion.ode_likelihood import ode_log_prob

__all__ = ["FlowMatching"]


@component
class FlowMatching(DenoisingModel):
    """Flow matching, also called rectified flow or stochastic interpolant.

    Times are uniform, or logit-normal, which stays away from both ends (Esser et al. 2024, arXiv:2403.03206). With
    `coupling: optimal` every batch pairs data with the noise that lies nearest (Tong et al. 2024, arXiv:2302.00482),
    which straightens the flow. Loss: the mean squared error of the velocity per dimension.
    """

    log_prob_kind = "estimate"
    schedule: NoiseSchedule = slot(default="core/linear-path", doc="the path from data to noise")
    drawn: str = option("uniform", choices=("uniform", "logit-normal"), doc="how training times are drawn")
    mean: float = option(0.0, min=-10, max=10, doc="of the logit of t, for logit-normal times")
    deviation: float = option(1.0, above=0, max=10, doc="of the logit of t, for logit-normal times")
    coupling: str = option("independent", choices=("independent", "optimal"), doc="how data meet noise in a batch")
    ode_steps: int = option(32, min=1, max=10_000, doc="steps of log_prob's solver, four network calls each")
    probes: int = option(
        1, min=0, max=10_000, doc="random probes of log_prob's divergence; 0: exact, one per dimension"
    )

    @property
    def predicts(self) -> str:
        return "velocity"

    def times(self, n: int, device: torch.device) -> Tensor:
        if self.drawn == "uniform":
            return torch.rand(n, device=device)
        return torch.sigmoid(self.mean + self.deviation * torch.randn(n, device=device))

    def noise_for(self, x: Tensor) -> Tensor:
        noise = torch.randn_like(x)
        return couple(x, noise) if self.coupling == "optimal" else noise

    def output(self, x_noisy: Tensor, t: Tensor, level: Level, cond: Tensor | None) -> Tensor:
        return widen(self.denoiser(x_noisy, t, cond))

    def log_prob(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """An estimate of log p(x) [B] in nats, of the levels where the data have levels, by the flow itself."""
        return ode_log_prob(self, x, cond, steps=self.ode_steps, probes=self.probes, power=3)
