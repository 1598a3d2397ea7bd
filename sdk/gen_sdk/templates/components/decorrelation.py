"""A regularizer: a penalty on a network, added to a loss.

    weight * sum over i ≠ j of Cov(z_i, z_j)²,   z = network(x)

Codes whose dimensions say different things (Cogswell et al. 2016, arXiv:1511.06068). Shapes: B batch, D code size.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from gen.component import component, option
from gen.interfaces import Regularizer
from gen.types import Progress

__all__ = ["Decorrelation"]


@component
class Decorrelation(Regularizer):
    """weight * the sum of the squared covariances between different dimensions of a code, over the batch."""

    serves = ("encoder",)  # the slots it is meant for: what it is shown differs from one to the next
    weight: float = option(0.1, min=0, max=1e6, doc="factor, in units of the loss per squared covariance")

    def __call__(self, network: nn.Module, batch: Any, progress: Progress) -> dict[str, Tensor]:
        """The penalty by name, as it is logged."""
        z = network(batch.x, batch.cond).flatten(1).float()  # [B, D]
        z = z - z.mean(0)
        covariance = z.T @ z / len(z)  # [D, D]
        off = covariance - torch.diag(covariance.diagonal())
        return {"decorrelation": self.weight * off.square().sum()}
