"""A weighting: a loss weight as a function of the noise level, nsr = sigma / alpha.

    w = min(alpha² / sigma², gamma)

Min-SNR (Hang et al. 2023, arXiv:2303.09556) for a model that predicts clean data: almost clean inputs, whose weight
would have no bound, count no more than gamma. Shapes: B batch.
"""

from __future__ import annotations

from torch import Tensor

from gen.component import component, option
from gen.interfaces import Weighting

__all__ = ["MinSNR"]


@component
class MinSNR(Weighting):
    """The signal-to-noise ratio alpha² / sigma², but no more than gamma."""

    gamma: float = option(5.0, above=0, max=1e6, doc="the largest weight")

    def __call__(self, nsr: Tensor) -> Tensor:
        return nsr.clamp(min=1e-12).pow(-2).clamp(max=self.gamma)  # [B]
