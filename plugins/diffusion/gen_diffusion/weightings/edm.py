"""EDM's weight, under which every noise level starts with the same loss."""

from __future__ import annotations

from torch import Tensor

from gen.component import component, option
from gen.interfaces import Weighting

__all__ = ["EdmWeighting"]


@component
class EdmWeighting(Weighting):
    """(sigma^2 + sigma_data^2) / (sigma sigma_data)^2 on the squared error of x, with alpha = 1.

    Karras et al. 2022, arXiv:2206.00364; on EDM's own parameterization it equals no weighting.
    """

    sigma_data: float = option(0.5, above=0, max=100, doc="standard deviation of the data")

    def __call__(self, nsr: Tensor) -> Tensor:
        return 1 / nsr.square() + 1 / self.sigma_data**2
