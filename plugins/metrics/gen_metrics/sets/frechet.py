"""The Fréchet distance between Gaussians fitted to features (Heusel et al. 2017, arXiv:1706.08500).

    d² = |m - m'|² + tr(S + S' - 2 (S S')^(1/2))

m, S: mean and covariance of the real features; m', S' of the generated ones. Computed by torchmetrics in float64.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance

from gen.component import component
from gen.errors import CommandError
from gen.evaluate import Evaluation, Measured
from gen_metrics.sets.compared import ComparedByFeatures

__all__ = ["Frechet", "frechet_distance"]


@component
class Frechet(ComparedByFeatures):
    """Fréchet distance between features of generated samples and of the split; 0 = Gaussians alike.

    It is biased upwards by small sets, so it compares runs measured with as many samples, in the same features: the
    card says how many, and the extractor's hash. With as many features as samples or more it means little.
    """

    def measure(self, evaluation: Evaluation) -> Measured:
        real = evaluation.features(self.features, "real")
        made = evaluation.features(self.features, "generated")
        if min(len(real), len(made)) < 2:
            raise CommandError("metrics/frechet needs two samples or more of each set")
        return Measured(frechet_distance(real, made), "", {}, evaluation.card_of(self.features, len(real), len(made)))


def frechet_distance(real: Tensor, made: Tensor) -> float:
    """The squared distance between Gaussians fitted to [N, D] and [M, D]; not a number where a feature is none."""
    features = nn.Identity()
    features.num_features = real.shape[1]  # type: ignore[assignment]  # what torchmetrics asks a module of one's own
    distance = FrechetInceptionDistance(feature=features, sync_on_compute=False)
    with torch.no_grad():
        distance.update(real.double(), real=True)
        distance.update(made.double(), real=False)
        value = float(distance.compute())
    return 0.0 if value < 0 else value  # rounding; what is not a number stays so
