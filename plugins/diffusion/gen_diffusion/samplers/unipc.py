"""UniPC: a predictor and a corrector that share their network calls (Zhao et al. 2023, arXiv:2302.04867).

The estimate at a new stop is used twice: it corrects the step that led there, and predicts the next one. Variant B2 of
the paper, with data prediction. Coefficients are solved for beforehand, on the host.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from gen.component import component, option
from gen_diffusion.samplers.grid import GRIDS
from gen_diffusion.samplers.sampler import DenoisingSampler
from gen_diffusion.samplers.walk import Walk

__all__ = ["UniPC"]


@component
class UniPC(DenoisingSampler):
    """UniPC of order 1 to 3, one network call a step."""

    traits: ClassVar[dict[str, Any]] = {"order": 2}
    steps: int = option(20, min=1, max=100_000, doc="steps from noise to data")
    grid: str = option("log-snr", choices=GRIDS, doc="what the steps divide evenly: its polynomials are in log-SNR")
    order: int = option(2, min=1, max=3, doc="estimates a prediction builds on")

    def walk(self, walk: Walk, x: Tensor) -> Tensor:
        grid = walk.grid
        places = [grid.half_log_snr(i) for i in range(grid.steps + 1)]
        seen = [walk.clean(x, 0)]  # newest first
        for i in range(grid.steps):
            h = places[i + 1] - places[i]
            order = _possible_order(places, i, h, self.order)
            kept = grid.sigma[i + 1] / grid.sigma[i]
            base = kept * x - grid.alpha[i + 1] * math.expm1(-h) * seen[0]
            ratios = [(places[i - k] - places[i]) / h for k in range(1, order)]  # negative
            changes = [(seen[k] - seen[0]) / ratio for k, ratio in enumerate(ratios, 1)]
            scale = grid.alpha[i + 1] * math.expm1(-h)
            predicted = base - scale * _combined(_weights(ratios, h), changes)
            walk.tell(i, seen[0])
            if i + 1 == grid.steps:
                return predicted
            new = walk.clean(predicted, i + 1)
            if math.isfinite(h):
                weights = _weights([*ratios, 1.0], h)
                x = base - scale * _combined(weights, [*changes, new - seen[0]])
            else:
                x = predicted
            seen = [new, *seen[:2]]
        return x


def _possible_order(places: list[float], i: int, h: float, order: int) -> int:
    """As high as asked for and as the stops behind, all at finite log-SNR, allow."""
    if not math.isfinite(h):
        return 1
    behind = 0
    while behind < min(order - 1, i) and math.isfinite(places[i - behind - 1]):
        behind += 1
    return behind + 1


def _weights(ratios: list[float], h: float) -> list[float]:
    """The solution of the paper's linear system for these nodes (B2: B(h) = exp(h) - 1, here with -h)."""
    if not ratios:
        return []
    if len(ratios) == 1:
        return [0.5]
    phi, factorial, right = math.expm1(-h) / -h - 1, 1, []
    for k in range(1, len(ratios) + 1):
        right.append(phi * factorial / math.expm1(-h))
        factorial *= k + 1
        phi = phi / -h - 1 / factorial
    matrix = np.vander(np.array(ratios), increasing=True).T
    return [float(weight) for weight in np.linalg.solve(matrix, np.array(right))]


def _combined(weights: list[float], changes: list[Tensor]) -> Tensor | float:
    return sum((weight * change for weight, change in zip(weights, changes, strict=True)), 0.0)
