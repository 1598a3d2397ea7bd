"""Another range for the values."""

from __future__ import annotations

import attrs
import torch
from torch import Tensor

from gen.component import component, option
from gen.errors import ShapeError
from gen.types import Domain
from gen_data.transforms.sourced import Sourced

__all__ = ["Range"]


@component
class Range(Sourced):
    """Maps the range of the data to [low, high] by an affine function."""

    low: float = option(-1.0, doc="what the low end of the range becomes")
    high: float = option(1.0, doc="what the high end becomes")

    def domain(self, domain: Domain) -> Domain:
        if not self.low < self.high:
            raise ShapeError(f"range needs low below high, got {self.low:g} and {self.high:g}")
        self.see(domain)
        return attrs.evolve(domain, range=(self.low, self.high))

    def __call__(self, x: Tensor, index: Tensor, rng: torch.Generator | None = None) -> Tensor:
        low, high = self.source.range
        return (x - low) * ((self.high - self.low) / (high - low)) + self.low
