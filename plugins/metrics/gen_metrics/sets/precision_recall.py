"""Improved precision and recall (Kynkäänniemi et al. 2019, arXiv:1904.06991).

A set's manifold is the union of balls around its points that reach to their k-th nearest neighbour in the set.
precision: share of generated points on the manifold of the real ones; recall: the other way round.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gen.component import component, option
from gen.evaluate import Evaluation, Measured
from gen_metrics.sets.compared import ComparedByFeatures
from gen_metrics.sets.neighbours import distances, radii
from gen_metrics.sets.pairs import pair

__all__ = ["PrecisionRecall", "on_manifold"]


@component
class PrecisionRecall(ComparedByFeatures):
    """Precision (are samples like the data) and recall (are the data covered); the value is their harmonic mean."""

    better = "higher"
    k: int = option(3, min=1, max=1000, doc="which neighbour a ball reaches to")
    samples: int = option(2000, min=2, max=100_000, doc="samples of each set, the first ones")

    def measure(self, evaluation: Evaluation) -> Measured:
        real, made = pair(evaluation, self.features, self.samples, self.k)
        precision, recall = on_manifold(made, real, self.k), on_manifold(real, made, self.k)
        value = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        parts = {"precision": precision, "recall": recall}
        return Measured(value, "", parts, evaluation.card_of(self.features, len(real), len(made)))


def on_manifold(x: Tensor, of: Tensor, k: int) -> float:
    """The share of x [N, D] within reach of a point of the set `of` [M, D]."""
    reach = radii(of, k)  # [M]
    inside = torch.cat([(piece <= reach).any(1) for piece in distances(x, of)])
    return float(inside.double().mean())
