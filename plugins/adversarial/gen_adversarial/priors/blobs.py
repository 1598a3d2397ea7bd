"""Priors made of many equal Gaussians in the plane of the first two coordinates of a code.

    p(z) = 1/K sum_k N(z; m_k, s^2 I)

Coordinates beyond the second are centred at 0; a code of one number sees the first axis alone. The centres come in
an order, cut into as many equal pieces as there are labels: `sample_of` draws from the piece that a label names.
"""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from torch import Tensor

from gen.component import interface, option
from gen.interfaces import Prior

__all__ = ["Blobs"]


@interface
class Blobs(Prior):
    """K Gaussians of one spread; what derives from it says where their centres lie."""

    std: float = option(0.5, above=0, max=1e3, doc="standard deviation s of each Gaussian")

    @abstractmethod
    def plane(self) -> Tensor:
        """The centres in the plane, [K, 2]."""

    def build(self) -> None:
        size = math.prod(self.shape)
        plane = self.plane()[:, :size]
        centres = torch.cat([plane, plane.new_zeros(len(plane), max(0, size - 2))], 1)  # [K, D]
        self.register_buffer("centres", centres, persistent=False)  # from options alone: neither saved nor read

    @property
    @abstractmethod
    def pieces(self) -> int:
        """How many labels `sample_of` tells apart; it divides K."""

    def sample(self, n: int, rng: torch.Generator | None = None) -> Tensor:
        k = self._index(n, len(self.get_buffer("centres")), rng)
        return self._around(k, rng)

    def sample_of(self, labels: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """A code for each label [B], from the label's own piece of the prior: [B, *shape]."""
        each = len(self.get_buffer("centres")) // self.pieces
        return self._around(labels * each + self._index(len(labels), each, rng), rng)

    def log_prob(self, z: Tensor) -> Tensor:
        flat, centres = z.flatten(1), self.get_buffer("centres")
        squares = (flat.unsqueeze(1) - centres).square().sum(2)  # [B, K]
        nats = -0.5 * squares / self.std**2
        constant = centres.shape[1] * math.log(self.std * math.sqrt(2 * math.pi)) + math.log(len(centres))
        return nats.logsumexp(1) - constant

    def _index(self, n: int, below: int, rng: torch.Generator | None) -> Tensor:
        place = self.get_buffer("centres").device
        return torch.randint(below, (n,), generator=rng, device=place if rng is None else rng.device).to(place)

    def _around(self, k: Tensor, rng: torch.Generator | None) -> Tensor:
        centres = self.get_buffer("centres")[k]  # [n, D]
        place = centres.device if rng is None else rng.device
        noise = torch.randn(centres.shape, generator=rng, device=place, dtype=centres.dtype).to(centres.device)
        return (centres + self.std * noise).unflatten(1, self.shape)
