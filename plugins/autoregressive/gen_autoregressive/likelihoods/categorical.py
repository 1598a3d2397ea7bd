"""A softmax over the levels of each value (van den Oord et al. 2016, arXiv:1601.06759, section 3.1)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from gen.component import component, option
from gen_autoregressive.levels import index_of
from gen_autoregressive.likelihoods.likelihood import PixelLikelihood

__all__ = ["Categorical"]


@component
class Categorical(PixelLikelihood):
    """Any distribution over the levels: a logit for each.

    It has to learn from data that neighbouring levels are alike.
    """

    levels: int = option(256, min=2, max=65_536, doc="values that data take, equally spaced from -1 to 1")

    @property
    def counted(self) -> int:
        return self.levels

    @property
    def size(self) -> int:
        return self.levels

    def log_prob(self, logits: Tensor, x: Tensor) -> Tensor:
        index = index_of(x, self.levels)
        return -F.cross_entropy(logits.flatten(0, 1), index.flatten(), reduction="none").view(x.shape)  # [B, N]

    def log_chances(self, logits: Tensor) -> Tensor:
        return logits.log_softmax(-1)
