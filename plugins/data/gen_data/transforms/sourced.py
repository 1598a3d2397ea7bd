"""What transforms share: the domain they are given, and random draws on the device of the data."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gen.component import interface
from gen.errors import ShapeError
from gen.interfaces import Transform
from gen.types import Domain, Shape

__all__ = ["Sourced", "draw", "image_shape"]


@interface
class Sourced(Transform):
    """A transform that depends on the range or the levels of what it is given: `domain` tells it, before any call."""

    _source: ClassVar[Domain | None] = None

    def see(self, domain: Domain) -> None:
        """Remembers the domain; a second one must have the same range and levels."""
        if self._source is not None and (self._source.range, self._source.levels) != (domain.range, domain.levels):
            raise ShapeError(
                f"{type(self).__name__.lower()} was set up for data in {_words(self._source)} "
                f"and cannot serve data in {_words(domain)} as well: bring them to one range first"
            )
        vars(self)["_source"] = domain

    @property
    def source(self) -> Domain:
        """The domain seen."""
        if self._source is None:
            name = type(self).__name__.lower()
            raise ShapeError(f"{name} does not know the range of its data yet: call domain(...) on it first")
        return self._source


def _words(domain: Domain) -> str:
    low, high = domain.range
    return f"[{low:g}, {high:g}]{f' with {domain.levels} levels' if domain.levels else ''}"


def image_shape(domain: Domain, name: str) -> tuple[int, int, int]:
    """(C, H, W) of a domain of images; raises `ShapeError` for other data."""
    if domain.modality != "image" or len(domain.shape) != 3:
        raise ShapeError(f"{name} takes images (C, H, W); these data are a {domain.modality} of shape {domain.shape}")
    channels, height, width = domain.shape
    return channels, height, width


def draw(shape: Shape, like: Tensor, rng: torch.Generator | None) -> Tensor:
    """Uniform draws in [0, 1) on the device of `like`, whatever the device of `rng`."""
    device = rng.device if rng is not None else like.device
    return torch.rand(shape, generator=rng, device=device).to(like.device)
