"""The algebra of noise: x_noisy = alpha x + sigma noise, and what a denoiser's output says about x and noise.

Every parameterization is a combination c x + d noise with coefficients that depend on the noise level alone, so that
any two are related by one 2 x 2 system, and each converts exactly to each:

    eps       noise                                     (Ho et al. 2020, arXiv:2006.11239)
    x         x
    v         alpha noise - sigma x                     (Salimans and Ho 2022, arXiv:2202.00512)
    velocity  alpha' x + sigma' noise = d x_noisy / dt  (Lipman et al. 2023, arXiv:2210.02747)
    score     -noise / sigma
    edm       F, with x = c_skip x_noisy + c_out F      (Karras et al. 2022, arXiv:2206.00364)

Coefficients have the shape of t, [B]; tensors of data are [B, *shape].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import torch
from torch import Tensor

if TYPE_CHECKING:
    from gen.interfaces import NoiseSchedule

__all__ = [
    "PARAMETERIZATIONS",
    "Level",
    "StepBack",
    "add_noise",
    "convert",
    "expand",
    "level_at",
    "noise_of",
    "step_back",
    "target_of",
    "x_of",
]

PARAMETERIZATIONS = ("eps", "x", "v", "velocity", "score", "edm")


@attrs.define(eq=False)
class Level:
    """A noise level for every sample of a batch: alpha, sigma and their derivatives in t, each [B].

    Not frozen, although nobody changes it: torch.compile cannot trace how a frozen attrs class is made.
    """

    alpha: Tensor
    sigma: Tensor
    d_alpha: Tensor
    d_sigma: Tensor

    @property
    def nsr(self) -> Tensor:
        """sigma / alpha [B]: noise-to-signal, infinite where nothing of x is left."""
        return self.sigma / self.alpha

    @property
    def log_snr(self) -> Tensor:
        """log(alpha^2 / sigma^2) [B] in nats."""
        return 2 * (self.alpha.log() - self.sigma.log())

    @property
    def d_log_snr(self) -> Tensor:
        """Its derivative in t [B]; never positive."""
        return 2 * (self.d_alpha / self.alpha - self.d_sigma / self.sigma)


def level_at(schedule: NoiseSchedule, t: Tensor) -> Level:
    """The level of a schedule at the times t [B]."""
    return Level(schedule.alpha(t), schedule.sigma(t), schedule.d_alpha(t), schedule.d_sigma(t))


def add_noise(x: Tensor, noise: Tensor, level: Level) -> Tensor:
    """x_noisy = alpha x + sigma noise [B, *shape]."""
    return expand(level.alpha, x) * x + expand(level.sigma, x) * noise


def target_of(x: Tensor, noise: Tensor, level: Level, of: str, sigma_data: float = 0.5) -> Tensor:
    """What a network that knew x and noise would put out in the parameterization `of`, [B, *shape]."""
    c, d = _coefficients(of, level, sigma_data)
    return expand(c, x) * x + expand(d, x) * noise


def x_of(output: Tensor, x_noisy: Tensor, level: Level, of: str, sigma_data: float = 0.5) -> Tensor:
    """The estimate of clean x [B, *shape] that an output in the parameterization `of` stands for."""
    return convert(output, x_noisy, level, of, "x", sigma_data)


def noise_of(output: Tensor, x_noisy: Tensor, level: Level, of: str, sigma_data: float = 0.5) -> Tensor:
    """The estimate of the noise [B, *shape] that an output in the parameterization `of` stands for."""
    return convert(output, x_noisy, level, of, "eps", sigma_data)


def convert(output: Tensor, x_noisy: Tensor, level: Level, of: str, to: str, sigma_data: float = 0.5) -> Tensor:
    """An output [B, *shape] in the parameterization `of`, said in the parameterization `to`.

    Exact wherever `of` determines x and noise: eps and score do not where alpha = 0, x does not where sigma = 0.
    `sigma_data` is the standard deviation of the data that EDM's F assumes.
    """
    if of == to:
        return output
    (c, d), (c_to, d_to) = _coefficients(of, level, sigma_data), _coefficients(to, level, sigma_data)
    determinant = level.alpha * d - level.sigma * c  # [B]
    from_noisy = (c_to * d - d_to * c) / determinant
    from_output = (level.alpha * d_to - level.sigma * c_to) / determinant
    return expand(from_noisy, output) * x_noisy + expand(from_output, output) * output


def _coefficients(name: str, level: Level, sigma_data: float) -> tuple[Tensor, Tensor]:
    """c and d [B] of what the parameterization `name` predicts, c x + d noise."""
    alpha, sigma = level.alpha, level.sigma
    zero, one = torch.zeros_like(alpha), torch.ones_like(alpha)
    if name == "eps":
        return zero, one
    if name == "x":
        return one, zero
    if name == "v":
        return -sigma, alpha
    if name == "velocity":
        return level.d_alpha, level.d_sigma
    if name == "score":
        return zero, -1 / sigma
    assert name == "edm", f"a parameterization is one of {', '.join(PARAMETERIZATIONS)}"
    root = (sigma**2 + (sigma_data * alpha) ** 2).sqrt()
    return sigma / (sigma_data * root), -sigma_data * alpha / root


@attrs.frozen(eq=False)
class StepBack:
    """q(x_s | x_t, x) for s before t: its mean is from_noisy x_t + from_x x, its variance is `variance`; each [B].

    `kernel` is the variance of q(x_t | x_s), DDPM's beta, which is the other usual choice for a model's variance.
    """

    from_noisy: Tensor
    from_x: Tensor
    variance: Tensor
    kernel: Tensor


def step_back(earlier: Level, later: Level) -> StepBack:
    """Bayes' rule for one step of the chain from a later level to an earlier one (Ho et al. 2020, equation 7).

    Holds between any two levels with sigma > 0 at the later one, alpha = 0 there included.
    """
    ratio = later.alpha / earlier.alpha  # of q(x_t | x_s) = N(ratio x_s, kernel I)
    kernel = (later.sigma**2 - ratio**2 * earlier.sigma**2).clamp(min=0)  # rounding may leave -1e-17
    share = earlier.sigma**2 / later.sigma**2
    return StepBack(ratio * share, earlier.alpha * kernel / later.sigma**2, kernel * share, kernel)


def expand(values: Tensor, like: Tensor) -> Tensor:
    """Values [B] as [B, 1, …], to multiply with [B, *shape]; they take the dtype of `like`."""
    return values.to(like.dtype).reshape(-1, *(1,) * (like.dim() - 1))
