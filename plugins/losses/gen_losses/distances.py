"""Distances of a reconstruction y from data x, [B, *shape] twice → [B], summed over the dimensions of a sample.

Each is a negative log-likelihood -log p(x|y) in nats up to a constant that its docstring states, so that sums of
distances, and of distances and KL terms, are in one unit. Half-precision values are widened to float32 first: sums over
thousands of dimensions need its digits.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gen.component import component
from gen.interfaces import Distance

__all__ = ["AbsoluteError", "BernoulliCrossEntropy", "SquaredError"]


@component
class SquaredError(Distance):
    """Half the sum of squared errors: 1/2 Σ (y - x)².

    In the squared unit of the data (their range is 2 wide). Equals -log N(x; y, 1) - (D/2) log 2π, the Gaussian
    likelihood with variance 1, in nats. For the mean squared error of a dimension, multiply by 2/D.
    """

    def __call__(self, y: Tensor, x: Tensor) -> Tensor:
        y, x = _wide(y, x)
        return 0.5 * (y - x).square().flatten(1).sum(1)  # [B]


@component
class AbsoluteError(Distance):
    """The sum of absolute errors: Σ |y - x|.

    In the unit of the data (their range is 2 wide). Equals -log p(x|y) - D log 2 under a Laplace likelihood with scale
    1, in nats; its best constant is the median, which tolerates outliers and blurs less than the mean.
    """

    def __call__(self, y: Tensor, x: Tensor) -> Tensor:
        y, x = _wide(y, x)
        return (y - x).abs().flatten(1).sum(1)  # [B]


@component
class BernoulliCrossEntropy(Distance):
    """The cross-entropy of data in [-1, 1], read as probabilities, against logits: Σ log(1 + e^y) - p y.

    p = (x + 1)/2 in [0, 1] and y are raw logits, not probabilities. In nats; for binary data exactly -log p(x|y), the
    Bernoulli likelihood, for grey values its usual stand-in, whose least value is the entropy of p, not 0. What y shows
    as data is `mean(y)` = 2 sigmoid(y) - 1.
    """

    def __call__(self, y: Tensor, x: Tensor) -> Tensor:
        y, x = _wide(y, x)
        losses = F.binary_cross_entropy_with_logits(y, 0.5 * (x + 1.0), reduction="none")
        return losses.flatten(1).sum(1)  # [B]

    def mean(self, y: Tensor) -> Tensor:
        """2 sigmoid(y) - 1, in [-1, 1]."""
        return torch.tanh(0.5 * y)


def _wide(y: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Both in float32 at least; shapes that would broadcast are a mistake of the family that wired them."""
    assert y.shape == x.shape, f"a distance between shapes {tuple(y.shape)} and {tuple(x.shape)}"
    dtype = torch.promote_types(torch.promote_types(y.dtype, x.dtype), torch.float32)
    return y.to(dtype), x.to(dtype)
