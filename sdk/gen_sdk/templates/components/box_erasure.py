"""A corruption: what spoils x before a model sees it.

One box of each image is painted over, at a place of its own (Zhong et al. 2017, Random Erasing, arXiv:1708.04896).
Shapes: B batch, C channels, H W sides.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gen.component import component, option
from gen.errors import ShapeError
from gen.interfaces import Corruption

__all__ = ["BoxErasure"]


@component
class BoxErasure(Corruption):
    """Paints over a square of each image, at a place drawn for each."""

    side: int = option(3, min=1, max=4096, doc="side of the square in pixels; it is cut off at the border")
    value: float = option(-1.0, min=-1e6, max=1e6, doc="what its pixels become, in the range of the data")

    def __call__(self, x: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """A new tensor [B, C, H, W]; x itself is left as it is."""
        if x.ndim != 4:
            raise ShapeError(f"box-erasure spoils images [C, H, W], not samples of the shape {tuple(x.shape[1:])}")
        rows = self._inside(len(x), x.shape[-2], x.device, rng)  # [B, H]
        columns = self._inside(len(x), x.shape[-1], x.device, rng)  # [B, W]
        box = rows[:, None, :, None] & columns[:, None, None, :]  # [B, 1, H, W]
        return torch.where(box, self.value, x)

    def _inside(self, n: int, size: int, device: torch.device, rng: torch.Generator | None) -> Tensor:
        """Which of `size` places in a line lie inside the box, for each of n samples; every centre is as likely."""
        drawn = torch.rand(n, 1, generator=rng, device=device if rng is None else rng.device).to(device)
        centre = (drawn * size).floor()
        return (torch.arange(size, device=device) - centre).abs() <= (self.side - 1) / 2
