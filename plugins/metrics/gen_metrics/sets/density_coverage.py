"""Density and coverage (Naeem et al. 2020, arXiv:2002.09797).

    density  = 1/(k M) sum_j sum_i [ |y_j - x_i| < r_i ]        coverage = 1/N sum_i [ min_j |y_j - x_i| < r_i ]

x_i: N real points, r_i the distance of x_i to its k-th nearest real neighbour, y_j: M generated points. Outliers among
the generated points do not blow these up, as they do precision and recall.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gen.component import component, option
from gen.evaluate import Evaluation, Measured
from gen_metrics.sets.compared import ComparedByFeatures
from gen_metrics.sets.neighbours import distances, radii
from gen_metrics.sets.pairs import pair

__all__ = ["DensityCoverage", "density_coverage"]


@component
class DensityCoverage(ComparedByFeatures):
    """Coverage (the share of real points with a generated one near), the value; and density (1 = as dense as data)."""

    better = "higher"
    k: int = option(5, min=1, max=1000, doc="which neighbour a ball reaches to")
    samples: int = option(2000, min=2, max=100_000, doc="samples of each set, the first ones")

    def measure(self, evaluation: Evaluation) -> Measured:
        real, made = pair(evaluation, self.features, self.samples, self.k)
        density, coverage = density_coverage(real, made, self.k)
        parts = {"density": density, "coverage": coverage}
        return Measured(coverage, "", parts, evaluation.card_of(self.features, len(real), len(made)))


def density_coverage(real: Tensor, made: Tensor, k: int) -> tuple[float, float]:
    """Density and coverage of generated points [M, D] by the balls of real points [N, D]."""
    reach = radii(real, k)  # [N]
    hits, covered = 0, torch.zeros(len(real), dtype=torch.bool)
    for piece in distances(made, real):  # [m, N]
        inside = piece < reach
        hits += int(inside.sum())
        covered |= inside.any(0)
    return hits / (k * len(made)), float(covered.double().mean())
