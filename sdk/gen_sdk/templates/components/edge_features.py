"""An extractor: data to features, in which distances between sets of samples are measured.

Edges: derivatives along rows and columns (Sobel's filters), their positive and negative parts averaged over the cells
of a grid, in the manner of histograms of oriented gradients (Dalal and Triggs 2005). Nothing is learned. Shapes: B
batch, C channels, H W sides, G cells along a side.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gen.component import component, option
from gen.errors import ShapeError
from gen.interfaces import Extractor

__all__ = ["EdgeFeatures"]


@component
class EdgeFeatures(Extractor):
    """How much the grey value rises and falls along rows and columns, in every cell of a grid."""

    grid: int = option(2, min=1, max=64, doc="cells along a side, G; it gives 4 G² features")

    def build(self) -> None:
        """Whoever owns the extractor has set `in_shape`."""
        if len(self.in_shape) != 3 or min(self.in_shape[1:]) < max(3, self.grid):
            raise ShapeError(f"EdgeFeatures takes images of {max(3, self.grid)} pixels or more a side")
        across = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 8
        filters = torch.stack([across, across.T])[:, None]  # [2, 1, 3, 3]
        self.filters = nn.Parameter(filters, requires_grad=False)  # fixed: a ruler must not learn

    def forward(self, x: Tensor) -> Tensor:
        grey = x.mean(1, keepdim=True)  # [B, 1, H, W]
        slopes = nn.functional.conv2d(grey, self.filters.to(x.dtype), padding=1)  # [B, 2, H, W]
        parts = torch.cat([slopes.relu(), (-slopes).relu()], dim=1)  # [B, 4, H, W]
        return nn.functional.adaptive_avg_pool2d(parts, self.grid).flatten(1)  # [B, 4 G²]
