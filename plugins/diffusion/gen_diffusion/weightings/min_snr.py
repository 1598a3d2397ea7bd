"""Weights that stop the easy, little noised samples from ruling the loss."""

from __future__ import annotations

from torch import Tensor

from gen.component import component, option
from gen.interfaces import Weighting

__all__ = ["MinSnr", "SoftMinSnr"]


@component
class MinSnr(Weighting):
    """min(alpha^2 / sigma^2, gamma) on the squared error of x (Hang et al. 2023, arXiv:2303.09556)."""

    gamma: float = option(5.0, above=0, max=1e6, doc="signal-to-noise ratio above which the weight stays")

    def __call__(self, nsr: Tensor) -> Tensor:
        return nsr.square().reciprocal().clamp(max=self.gamma)


@component
class SoftMinSnr(Weighting):
    """1 / (sigma^2 / alpha^2 + 1 / gamma) on the squared error of x: min-snr without its corner.

    Crowson et al. 2024, arXiv:2401.11605.
    """

    gamma: float = option(4.0, above=0, max=1e6, doc="what the weight tends to where there is little noise")

    def __call__(self, nsr: Tensor) -> Tensor:
        return 1 / (nsr.square() + 1 / self.gamma)
