"""DPM-Solver++ in its multistep form (Lu et al. 2022, arXiv:2211.01095), and its stochastic variant.

With lambda = log(alpha/sigma) and h its growth over a step, the probability flow has the exact solution

    x_s = sigma_s/sigma_t x_t + alpha_s integral of exp(lambda - lambda_s) D(lambda) d lambda

in which D is expanded around the last estimates. Where lambda is infinite, at either end, the expansion stops at
order 1, which is exact there for what is known.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from torch import Tensor

from gen.component import component, option
from gen.errors import OptionError
from gen_diffusion.samplers.grid import GRIDS
from gen_diffusion.samplers.sampler import DenoisingSampler
from gen_diffusion.samplers.walk import Walk

__all__ = ["DPMSolver"]


@component
class DPMSolver(DenoisingSampler):
    """DPM-Solver++ of order 1, 2 or 3, one network call a step; `sde: true` adds the noise of the reverse SDE."""

    traits: ClassVar[dict[str, Any]] = {"order": 2}
    steps: int = option(20, min=1, max=100_000, doc="steps from noise to data")
    grid: str = option("log-snr", choices=GRIDS, doc="what the steps divide evenly: its polynomials are in log-SNR")
    order: int = option(2, min=1, max=3, doc="estimates a step builds on")
    sde: bool = option(False, doc="solve the reverse SDE instead of the ODE (order 1 or 2)")

    def check(self, model: Any) -> None:
        DenoisingSampler.check(self, model)
        if self.sde and self.order == 3:
            raise OptionError("sde: true goes with order 1 or 2, got 3")

    def walk(self, walk: Walk, x: Tensor) -> Tensor:
        grid = walk.grid
        places = [grid.half_log_snr(i) for i in range(grid.steps + 1)]
        seen: list[Tensor] = []  # the last estimates, newest first
        for i in range(grid.steps):
            seen = [walk.clean(x, i), *seen[:2]]
            h = places[i + 1] - places[i]
            ratios = _ratios(places, i, h, self.order)
            x = self._stochastic(walk, x, i, h, seen, ratios) if self.sde else _step(walk, x, i, h, seen, ratios)
            walk.tell(i, seen[0])
        return x

    def _stochastic(self, walk: Walk, x: Tensor, i: int, h: float, seen: list[Tensor], ratios: list[float]) -> Tensor:
        grid, decay = walk.grid, math.exp(-h)
        kept = grid.sigma[i + 1] / grid.sigma[i] * decay
        gained = grid.alpha[i + 1] * -math.expm1(-2 * h)
        x = kept * x + gained * seen[0]
        if ratios:
            x = x + 0.5 * gained / ratios[0] * (seen[0] - seen[1])
        if grid.sigma[i + 1] > 0:
            x = x + grid.sigma[i + 1] * math.sqrt(-math.expm1(-2 * h)) * walk.draw(x)
        return x


def _ratios(places: list[float], i: int, h: float, order: int) -> list[float]:
    """Earlier steps over this one, newest first: as many as the order asks for and the infinite ends leave."""
    found: list[float] = []
    for back in range(1, order):
        if i < back or not math.isfinite(h) or not math.isfinite(places[i - back]):
            break
        found.append((places[i - back + 1] - places[i - back]) / h)
    return found


def _step(walk: Walk, x: Tensor, i: int, h: float, seen: list[Tensor], ratios: list[float]) -> Tensor:
    """One step of the ODE: the expansion of D to as many orders as there are ratios, and one."""
    grid = walk.grid
    alpha = grid.alpha[i + 1]
    x = grid.sigma[i + 1] / grid.sigma[i] * x - alpha * math.expm1(-h) * seen[0]
    if not ratios:
        return x
    slope = (seen[0] - seen[1]) / ratios[0]  # dD/dlambda times h
    if len(ratios) == 1:
        return x - 0.5 * alpha * math.expm1(-h) * slope
    before = (seen[1] - seen[2]) / ratios[1]
    total = ratios[0] + ratios[1]
    bend = (slope - before) / total
    slope = slope + ratios[0] * bend
    first = math.expm1(-h) / h + 1
    second = (math.expm1(-h) + h) / h**2 - 0.5
    return x + alpha * first * slope - alpha * second * bend
