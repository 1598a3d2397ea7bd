"""Structural similarity as a distance (Wang et al. 2004, Image Quality Assessment: From Error Visibility to SSIM)."""

from __future__ import annotations

import torch
from torch import Tensor

from gen.component import component, option
from gen.errors import ShapeError
from gen.interfaces import Distance

__all__ = ["StructuralDissimilarity"]


@component
class StructuralDissimilarity(Distance):
    """What an eye sees differ: scale * D * (1 - SSIM), D the dimensions of a sample.

    SSIM compares means, variances and covariance under a Gaussian window and is averaged over pixels; times D it is
    summed like the other distances. It has no unit: 0 for equal images, 2 scale D at most. Images are in [-1, 1] and
    compared as brightness in [0, 1].
    """

    scale: float = option(1.0, above=0, max=1e6, doc="factor, to weigh it against terms in nats")
    window: float = option(1.5, min=0.3, max=50, doc="standard deviation of the Gaussian window, in pixels")

    def __call__(self, y: Tensor, x: Tensor) -> Tensor:
        # Its own import: torchmetrics takes a second to load, and most runs have no use for it.
        from torchmetrics.functional.image import structural_similarity_index_measure

        assert y.shape == x.shape, f"a distance between shapes {tuple(y.shape)} and {tuple(x.shape)}"
        reach = int(3.5 * self.window + 0.5)
        if x.ndim != 4 or min(x.shape[2:]) <= reach:
            raise ShapeError(
                f"losses/ssim with window {self.window} compares images (C, H, W) with sides of {reach + 1} or more, "
                f"got the shape {tuple(x.shape[1:])}: choose a smaller window, or another distance"
            )
        y, x = (0.5 + 0.5 * t.to(torch.promote_types(t.dtype, torch.float32)) for t in (y, x))  # brightness, in [0, 1]
        options = {"sigma": self.window, "data_range": 1.0, "reduction": "none"}
        similarity = structural_similarity_index_measure(y, x, **options).view(len(x))  # [B]
        return self.scale * x[0].numel() * (1 - similarity)
