"""Where a sampler stops on its way from noise to data: decreasing times, and the levels there as plain numbers."""

from __future__ import annotations

import math
from typing import Any

import attrs
import torch
from torch import Tensor

from gen.noise import Level, level_at, step_back

__all__ = ["GRIDS", "MOST_NSR", "Grid", "make_grid"]

GRIDS = ("time", "trailing", "log-snr", "karras")
LEAST_NSR = 0.002
"""Noise-to-signal at the last stop before clean: the sigma_min of Karras et al. 2022; a schedule may end above it."""
MOST_NSR = 80.0
"""Where grids in noise-to-signal begin that must not begin at infinity; their first stop is t = 1 all the same."""


@attrs.frozen(eq=False)
class Grid:
    """N + 1 stops, the last of them clean (alpha 1, sigma 0). Numbers are Python floats: the loop never asks a device.

    `times` [N + 1] stays a tensor, because networks are told it.
    """

    times: Tensor
    alpha: list[float]
    sigma: list[float]
    d_alpha: list[float]
    d_sigma: list[float]

    @property
    def steps(self) -> int:
        return len(self.alpha) - 1

    def half_log_snr(self, i: int) -> float:
        """log(alpha / sigma) at stop i; infinite at both ends of a schedule that reaches them."""
        if self.sigma[i] == 0:
            return math.inf
        return math.log(self.alpha[i] / self.sigma[i]) if self.alpha[i] > 0 else -math.inf

    def back(self) -> list[tuple[float, float, float, float]]:
        """For every step its Bayes' rule: from_noisy, from_x, variance, kernel (see `gen.noise.step_back`)."""
        columns = torch.tensor([self.alpha, self.sigma, self.d_alpha, self.d_sigma], dtype=torch.float64)
        made = step_back(Level(*columns[:, 1:]), Level(*columns[:, :-1]))
        return [(a, b, c, d) for a, b, c, d in torch.stack(attrs.astuple(made, recurse=False), 1).tolist()]


def make_grid(schedule: Any, steps: int, kind: str, device: torch.device) -> Grid:
    """`steps` steps from t = 1 to clean.

    time: equal steps of t down to the last noisy stop; trailing: equal steps of t down to 0 itself (Lin et al. 2023);
    log-snr: equal steps of log-SNR; karras: equal steps of (sigma/alpha)^(1/7) (Karras et al. 2022).
    """
    assert kind in GRIDS, "the option has these choices"
    times = torch.cat([_noisy_times(schedule, steps, kind), torch.zeros(1, dtype=torch.float64)])  # [N + 1]
    columns = torch.stack(attrs.astuple(level_at(schedule, times[:-1]), recurse=False)).tolist()
    clean = (1.0, 0.0, 0.0, 0.0)
    return Grid(
        times.to(device, torch.get_default_dtype()),
        *([*column, end] for column, end in zip(columns, clean, strict=True)),
    )


def _noisy_times(schedule: Any, steps: int, kind: str) -> Tensor:
    """The stops [N] before the clean one, in float64, beginning at t = 1."""
    if kind == "trailing":
        return torch.linspace(1, 0, steps + 1, dtype=torch.float64)[:-1]
    ends = torch.tensor([1.0, schedule.t_min], dtype=torch.float64)
    most, least = (-schedule.log_snr(ends) / 2).exp().tolist()  # noise-to-signal
    least, most = max(least, LEAST_NSR), min(most, MOST_NSR)
    if kind == "time":
        last = schedule.time_of(torch.tensor([-2 * math.log(least)], dtype=torch.float64)).item()
        return torch.linspace(1, last, steps, dtype=torch.float64)
    share = torch.linspace(0, 1, steps, dtype=torch.float64)
    if kind == "log-snr":
        log_nsr = math.log(most) + share * (math.log(least) - math.log(most))
    else:
        low, high = least ** (1 / 7), most ** (1 / 7)
        log_nsr = 7 * (high + share * (low - high)).log()
    times = schedule.time_of(-2 * log_nsr)
    times[0] = 1.0
    return times
