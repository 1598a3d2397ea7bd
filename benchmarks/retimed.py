"""A denoiser in another time: t = u^p, whose equal steps are short where there is little noise.

There the learned density is as fine as the data, and a solver in t would need many more steps.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

__all__ = ["Retimed"]


class Retimed:
    """What `gen_diffusion.ode_likelihood.ode_log_prob` asks of a model, in the time u: itself, data, a schedule."""

    def __init__(self, model: Any, power: int) -> None:
        self.model, self.data, self.schedule, self.power = model, model.data, self, power
        self.t_min = model.schedule.t_min ** (1 / power)

    def denoise(self, x_noisy: Tensor, u: Tensor, cond: Tensor | None = None) -> Tensor:
        clean: Tensor = self.model.denoise(x_noisy, self._t(u), cond)
        return clean

    def alpha(self, u: Tensor) -> Tensor:
        alpha: Tensor = self.model.schedule.alpha(self._t(u))
        return alpha

    def sigma(self, u: Tensor) -> Tensor:
        sigma: Tensor = self.model.schedule.sigma(self._t(u))
        return sigma

    def d_alpha(self, u: Tensor) -> Tensor:
        return self.model.schedule.d_alpha(self._t(u)) * self._speed(u)

    def d_sigma(self, u: Tensor) -> Tensor:
        return self.model.schedule.d_sigma(self._t(u)) * self._speed(u)

    def _t(self, u: Tensor) -> Tensor:
        return u**self.power

    def _speed(self, u: Tensor) -> Tensor:
        """dt/du."""
        return self.power * u ** (self.power - 1)
