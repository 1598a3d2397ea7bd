"""The swiss roll (as in Makhzani et al. 2015, Adversarial Autoencoders, arXiv:1511.05644, figure 4)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gen.component import component, option
from gen_adversarial.priors.blobs import Blobs

__all__ = ["SwissRoll"]

FINE = 40
"""Gaussians to each segment: their centres lie nearer to each other than they are wide."""


@component
class SwissRoll(Blobs):
    """A spiral in the first two coordinates of the code, blurred: a long curve, wound up.

    An Archimedean spiral from the origin, evenly dense along its length. With labels, segment k, counted from the
    inside, belongs to label k: give it as many segments as the data have classes.
    """

    turns: float = option(1.5, above=0, max=100, doc="times that the spiral winds around the origin")
    radius: float = option(4.0, above=0, max=1e6, doc="of the outer end, in the unit of the code")
    segments: int = option(10, min=1, max=10_000, doc="pieces of equal mass, one per label")
    std: float = option(0.2, above=0, max=1e3, doc="standard deviation of the blur")

    @property
    def pieces(self) -> int:
        return self.segments

    def plane(self) -> Tensor:
        count = FINE * self.segments
        t = ((torch.arange(count) + 0.5) / count).sqrt()  # the arc's length grows as t^2
        angle = 2 * math.pi * self.turns * t
        return self.radius * t.unsqueeze(1) * torch.stack([angle.cos(), angle.sin()], 1)
