"""A transform: changes samples as they are read.

Each training image is moved by a few pixels, anew each time it is met; what comes in from the side is the low end of
the range. Shapes: B batch, C channels, H W sides.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gen.component import component, option
from gen.errors import ShapeError
from gen.interfaces import Transform
from gen.types import Domain

__all__ = ["Shift"]


@component
class Shift(Transform):
    """Moves training images by up to `pixels` along rows and columns, drawn anew each time."""

    random = True  # drawn anew each time it is applied,
    augments = True  # and in training alone: elsewhere it gets no rng, and leaves samples as they are
    pixels: int = option(1, min=0, max=1024, doc="the farthest move along each side")
    low = -1.0  # no option: what comes in from the side, until `domain` says otherwise

    def domain(self, domain: Domain) -> Domain:
        """What comes out is what went in; anything but images is refused. It is called before any sample is."""
        if len(domain.shape) != 3:
            raise ShapeError(f"shift moves images [C, H, W]; these data are {domain.shape}")
        self.low = domain.range[0]
        return domain

    def __call__(self, x: Tensor, index: Tensor, rng: torch.Generator | None = None) -> Tensor:
        if rng is None:
            return x
        n, (channels, height, width), p = len(x), x.shape[1:], self.pixels
        moves = torch.randint(2 * p + 1, (2, n, 1), generator=rng, device=rng.device).to(x.device)
        padded = torch.nn.functional.pad(x, (p, p, p, p), value=self.low)  # [B, C, H + 2 p, W + 2 p]
        rows = moves[0] + torch.arange(height, device=x.device)  # [B, H]
        columns = moves[1] + torch.arange(width, device=x.device)  # [B, W]
        samples = torch.arange(n, device=x.device)[:, None, None, None]
        channel = torch.arange(channels, device=x.device)[:, None, None]
        return padded[samples, channel, rows[:, None, :, None], columns[:, None, None, :]]
