"""The kernel distance: an unbiased estimate of MMD² with a cubic kernel (Bińkowski et al. 2018, arXiv:1801.01401).

    MMD² = mean_{i≠j} k(x_i, x_j) + mean_{i≠j} k(y_i, y_j) - 2 mean_{i,j} k(x_i, y_j),   k(a, b) = (a·b/D + 1)^3

Over all pairs of the two sets, not over random subsets: no draw, no spread of its own.
"""

from __future__ import annotations

from torch import Tensor

from gen.component import component, option
from gen.errors import CommandError
from gen.evaluate import Evaluation, Measured
from gen_metrics.sets.compared import ComparedByFeatures

__all__ = ["KernelDistance", "mmd"]

PIECE = 512


@component
class KernelDistance(ComparedByFeatures):
    """Kernel distance (KID) between features of generated samples and of the split; around 0 = alike.

    Unbiased, so small sets may be compared; it may come out below 0.
    """

    degree: int = option(3, min=1, max=8, doc="degree of the polynomial kernel")

    def measure(self, evaluation: Evaluation) -> Measured:
        real = evaluation.features(self.features, "real")
        made = evaluation.features(self.features, "generated")
        if min(len(real), len(made)) < 2:
            raise CommandError("metrics/kernel-distance needs two samples or more of each set")
        value = mmd(real.double(), made.double(), self.degree)
        return Measured(value, "", {}, evaluation.card_of(self.features, len(real), len(made)))


def mmd(x: Tensor, y: Tensor, degree: int = 3) -> float:
    """The unbiased estimate of MMD² between [N, D] and [M, D], N and M at least 2."""
    n, m = len(x), len(y)
    own_x = (_sum(x, x, degree) - _diagonal(x, degree)) / (n * (n - 1))
    own_y = (_sum(y, y, degree) - _diagonal(y, degree)) / (m * (m - 1))
    return own_x + own_y - 2 * _sum(x, y, degree) / (n * m)


def _sum(x: Tensor, y: Tensor, degree: int) -> float:
    return sum(float((piece @ y.T / x.shape[1] + 1).pow(degree).sum()) for piece in x.split(PIECE))


def _diagonal(x: Tensor, degree: int) -> float:
    return float((x.square().sum(1) / x.shape[1] + 1).pow(degree).sum())
