"""Differentiable augmentation of what a discriminator sees (Zhao et al. 2020, arXiv:2006.10738).

Real and generated samples are changed alike, at random, and gradients pass through to the generator: a discriminator
then cannot learn a small data set by heart, and the augmentation does not leak into the samples.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gen.component import component, option
from gen.errors import ShapeError
from gen.interfaces import Corruption

__all__ = ["DiffAugment"]


@component
class DiffAugment(Corruption):
    """Random brightness, saturation and contrast, translation, and a square cut out; of images [B, C, H, W].

    Every sample is changed in its own way. Digits and other images with a fixed background want `color: false`.
    """

    color: bool = option(True, doc="brightness by ±0.5, saturation by a factor in [0, 2], contrast in [0.5, 1.5]")
    translation: float = option(0.125, min=0, max=1, doc="largest shift, as a share of the sides; 0 = none")
    cutout: float = option(0.5, min=0, max=1, doc="side of the square that is cut out, as a share; 0 = none")
    fill: float = option(0.0, min=-1e6, max=1e6, doc="what comes in by shifts and in place of what is cut out")

    def __call__(self, x: Tensor, rng: torch.Generator | None = None) -> Tensor:
        if x.dim() != 4:
            raise ShapeError(f"gan/diff-augment changes images (C, H, W), got the shape {tuple(x.shape[1:])}")
        if self.color:
            x = _contrasted(_saturated(_brightened(x, rng), rng), rng)
        if self.translation:
            x = self._translated(x, rng)
        return self._cut(x, rng) if self.cutout else x

    def _translated(self, x: Tensor, rng: torch.Generator | None) -> Tensor:
        """Whole pixels, by a gather from a padded copy."""
        h, w = x.shape[2:]
        dy, dx = round(h * self.translation), round(w * self.translation)
        padded = F.pad(x, (dx, dx, dy, dy), value=self.fill)
        rows = _integers(len(x), 2 * dy + 1, x, rng)[:, None] + torch.arange(h, device=x.device)  # [B, H]
        columns = _integers(len(x), 2 * dx + 1, x, rng)[:, None] + torch.arange(w, device=x.device)  # [B, W]
        padded = padded.gather(2, rows[:, None, :, None].expand(-1, x.shape[1], -1, w + 2 * dx))
        return padded.gather(3, columns[:, None, None, :].expand(-1, x.shape[1], h, -1))

    def _cut(self, x: Tensor, rng: torch.Generator | None) -> Tensor:
        """A square whose centre lies anywhere in the image."""
        inside = None
        for size, axis in ((x.shape[2], 2), (x.shape[3], 3)):
            length = round(size * self.cutout)
            first = _integers(len(x), size + (1 - length % 2), x, rng) - length // 2  # [B]
            offset = torch.arange(size, device=x.device) - first[:, None]  # [B, size]
            band = ((offset >= 0) & (offset < length)).unflatten(1, (1, size, 1) if axis == 2 else (1, 1, size))
            inside = band if inside is None else inside & band
        assert inside is not None, "an image has two sides"
        return x.masked_fill(inside, self.fill)


def _brightened(x: Tensor, rng: torch.Generator | None) -> Tensor:
    return x + _uniform(x, rng) - 0.5


def _saturated(x: Tensor, rng: torch.Generator | None) -> Tensor:
    mean = x.mean(1, keepdim=True)
    return mean + (x - mean) * 2 * _uniform(x, rng)


def _contrasted(x: Tensor, rng: torch.Generator | None) -> Tensor:
    mean = x.mean((1, 2, 3), keepdim=True)
    return mean + (x - mean) * (0.5 + _uniform(x, rng))


def _uniform(x: Tensor, rng: torch.Generator | None) -> Tensor:
    """A draw in [0, 1) for every sample, [B, 1, 1, 1]."""
    device = x.device if rng is None else rng.device
    return torch.rand(len(x), 1, 1, 1, device=device, generator=rng).to(x.device, x.dtype)


def _integers(count: int, below: int, x: Tensor, rng: torch.Generator | None) -> Tensor:
    device = x.device if rng is None else rng.device
    return torch.randint(below, (count,), device=device, generator=rng).to(x.device)
