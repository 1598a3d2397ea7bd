"""The body that the extractors here share: three convolutions for images, two layers for anything else.

Shapes: B batch, C channels, H W sides, D features.
"""

from __future__ import annotations

import math

from torch import nn

from gen.types import Shape

__all__ = ["make_trunk"]


def make_trunk(in_shape: Shape, width: int, size: int) -> nn.Sequential:
    """x [B, *in_shape] → features [B, size]. Images of any side and any number of channels; the rest is flattened.

    The last maps of an image have a quarter of its side; those above 7x7 (28x28 images have 7) are averaged down to it.

    Args:
        width: channels of the first convolution; they double at each of the next two, which halve the side.
        size: D.
    """
    if len(in_shape) != 3:
        return nn.Sequential(
            nn.Flatten(), nn.Linear(math.prod(in_shape), 8 * width), nn.ReLU(), nn.Linear(8 * width, size)
        )
    rows, columns = (min(7, math.ceil(side / 4)) for side in in_shape[1:])
    return nn.Sequential(
        nn.Conv2d(in_shape[0], width, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1),  # [B, 4 width, H/4, W/4]
        nn.ReLU(),
        nn.AdaptiveAvgPool2d((rows, columns)),
        nn.Flatten(),
        nn.Linear(4 * width * rows * columns, size),
    )
