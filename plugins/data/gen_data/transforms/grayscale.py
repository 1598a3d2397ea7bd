"""Colour to grey."""

from __future__ import annotations

import attrs
import torch
from torch import Tensor

from gen.component import component
from gen.errors import ShapeError
from gen.interfaces import Transform
from gen.types import Domain
from gen_data.transforms.sourced import image_shape

__all__ = ["Grayscale"]

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@component
class Grayscale(Transform):
    """Three channels to one, weighted as the eye does (ITU-R BT.601); values in between arise: levels are lost."""

    def domain(self, domain: Domain) -> Domain:
        channels, height, width = image_shape(domain, "grayscale")
        if channels not in (1, 3):
            raise ShapeError(f"grayscale takes 3 channels (1 is left as it is), these data have {channels}")
        return domain if channels == 1 else attrs.evolve(domain, shape=(1, height, width), levels=None)

    def __call__(self, x: Tensor, index: Tensor, rng: torch.Generator | None = None) -> Tensor:
        if x.shape[1] == 1:
            return x
        return (x * x.new_tensor(_LUMA)[:, None, None]).sum(1, keepdim=True)  # [B, 1, H, W]
