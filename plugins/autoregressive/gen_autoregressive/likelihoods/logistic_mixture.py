"""The discretized logistic mixture (Salimans et al. 2017, PixelCNN++, arXiv:1701.05517, equation 2).

    P(v) = sum_m pi_m [F((v + h - mu_m)/s_m) - F((v - h - mu_m)/s_m)]

F the logistic function, h half the distance of two levels; the outermost levels reach to infinity, so chances sum to 1.
Shapes: M mixture components, V levels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gen.component import component, option
from gen_autoregressive.levels import index_of, value_of
from gen_autoregressive.likelihoods.likelihood import PixelLikelihood

__all__ = ["LogisticMixture"]

START, LEAST = -1.0, -8.0
"""The log-scale where the network puts out 0 (a fifth of the range), and the least there can be."""


@component
class LogisticMixture(PixelLikelihood):
    """A mixture of logistic densities cut into levels: neighbouring levels are alike without having to learn it.

    Three numbers for each component: logit of its weight, location, log-scale. The dependence between the channels of a
    pixel, which the paper writes into the locations, is the network's here: a channel sees the channels before it.
    """

    components: int = option(10, min=1, max=1000, doc="logistic densities in the mixture, M")
    levels: int = option(256, min=2, max=65_536, doc="values that data take, equally spaced from -1 to 1")

    @property
    def counted(self) -> int:
        return self.levels

    @property
    def size(self) -> int:
        return 3 * self.components

    def log_prob(self, logits: Tensor, x: Tensor) -> Tensor:
        return self._log_mass(logits, index_of(x, self.levels))

    def log_chances(self, logits: Tensor) -> Tensor:
        index = torch.arange(self.levels, device=logits.device)  # [V]
        return self._log_mass(logits.unsqueeze(-2), index)  # [..., V]

    def _log_mass(self, logits: Tensor, index: Tensor) -> Tensor:
        """log P of levels [...], from [..., 3 M]. log(F(a) - F(b)) = a + log(1 - e^(b - a)) - sp(a) - sp(b)."""
        weight, location, log_scale = logits.chunk(3, -1)  # each [..., M]
        log_scale = (log_scale + START).clamp(min=LEAST)
        half = 1 / (self.levels - 1)
        offset = value_of(index, self.levels, location.dtype).unsqueeze(-1) - location
        inverse = (-log_scale).exp()
        upper, lower = (offset + half) * inverse, (offset - half) * inverse
        inner = upper + torch.log(-torch.expm1(-2 * half * inverse)) - F.softplus(upper) - F.softplus(lower)
        first, last = F.logsigmoid(upper), F.logsigmoid(-lower)  # the tails belong to the outermost levels
        number = index.unsqueeze(-1)
        mass = torch.where(number == 0, first, torch.where(number == self.levels - 1, last, inner))
        return (weight.log_softmax(-1) + mass).logsumexp(-1)
