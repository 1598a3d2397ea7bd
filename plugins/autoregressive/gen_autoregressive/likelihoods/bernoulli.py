"""Black and white values: a coin toss each."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gen.component import component
from gen_autoregressive.likelihoods.likelihood import PixelLikelihood

__all__ = ["Bernoulli"]


@component
class Bernoulli(PixelLikelihood):
    """Two values, -1 and 1: one logit of the second for each (binarised data, data/binarize)."""

    @property
    def counted(self) -> int:
        return 2

    @property
    def size(self) -> int:
        return 1

    def log_prob(self, logits: Tensor, x: Tensor) -> Tensor:
        white = torch.add(0.5, x, alpha=0.5)
        return -F.binary_cross_entropy_with_logits(logits.squeeze(-1), white, reduction="none")  # [B, N]

    def log_chances(self, logits: Tensor) -> Tensor:
        return torch.cat([F.logsigmoid(-logits), F.logsigmoid(logits)], -1)  # [..., 2]
