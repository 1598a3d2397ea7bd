"""A distance: how far y lies from x.

    d(y, x) = sum_i sqrt((y_i - x_i)² + e²) - e

Charbonnier's penalty (Charbonnier et al. 1994): squared errors near zero, absolute ones far out. Shapes: B batch.
"""

from __future__ import annotations

from torch import Tensor

from gen.component import component, option
from gen.interfaces import Distance

__all__ = ["Charbonnier"]


@component
class Charbonnier(Distance):
    """Absolute errors, rounded off near zero so that gradients are smooth there."""

    knee: float = option(0.1, above=0, max=1e6, doc="error at which squares turn into absolute values, e")

    def __call__(self, y: Tensor, x: Tensor) -> Tensor:
        """The sum over the dimensions of each sample, [B]; 0 where y = x."""
        errors = ((y - x).square() + self.knee**2).sqrt() - self.knee  # [B, *shape]
        return errors.flatten(1).sum(1)
