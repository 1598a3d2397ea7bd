"""What a pixel likelihood promises: a distribution over the levels of one value, from K numbers.

Shapes: B batch, N values of a sample, K numbers per factor, V levels.
"""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from gen.component import interface
from gen.interfaces import Part
from gen.types import Shape

__all__ = ["PixelLikelihood"]


@interface
class PixelLikelihood(Part):
    """Gives the numbers of a factor their meaning, p(x_i given x_<i): a distribution over the levels of the data.

    Data lie on `counted` levels, equally spaced from -1 to 1. Computed in float32 or float64, outside autocast.
    """

    kind = "pixel-likelihood"

    @property
    @abstractmethod
    def counted(self) -> int:
        """How many levels a value has, V."""

    @property
    @abstractmethod
    def size(self) -> int:
        """How many numbers an autoregressor puts out for each value, K."""

    @abstractmethod
    def log_prob(self, logits: Tensor, x: Tensor) -> Tensor:
        """log p(x_i given x_<i) [B, N] in nats, from logits [B, N, K] and values x [B, N]."""

    @abstractmethod
    def log_chances(self, logits: Tensor) -> Tensor:
        """log p of every level [..., V], from logits [..., K]; their exponentials sum to 1."""

    def param_shape(self, x_shape: Shape) -> Shape:
        """The shape an autoregressor must put out for data (C, H, W): (K C, H, W), K outermost."""
        return (self.size * x_shape[0], *x_shape[1:])
