"""A ring of Gaussians (Makhzani et al. 2015, Adversarial Autoencoders, arXiv:1511.05644, figure 4)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gen.component import component, option
from gen_adversarial.priors.blobs import Blobs

__all__ = ["RingMixture"]


@component
class RingMixture(Blobs):
    """A mixture of Gaussians whose centres lie evenly on a circle in the first two coordinates of the code.

    With labels, mode k belongs to label k: give it as many modes as the data have classes.
    """

    modes: int = option(10, min=1, max=100_000, doc="Gaussians on the circle")
    radius: float = option(4.0, above=0, max=1e6, doc="of the circle, in the unit of the code")

    @property
    def pieces(self) -> int:
        return self.modes

    def plane(self) -> Tensor:
        angle = torch.arange(self.modes) * (2 * math.pi / self.modes)  # [K]
        return self.radius * torch.stack([angle.cos(), angle.sin()], 1)
