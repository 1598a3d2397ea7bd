"""Continuous values from quantized ones, so that a density model has a density to fit.

With k the level (0 to L - 1) and u uniform in [0, 1): y = low + (high - low) (k + u) / L (Uria, Murray and Larochelle
2013, arXiv:1306.0186; Theis, van den Oord and Bethge 2016, arXiv:1511.01844). The level can be read back exactly.
"""

from __future__ import annotations

import attrs
import torch
from torch import Tensor

from gen.component import component, option
from gen.errors import ShapeError
from gen.seeds import key
from gen.types import Domain
from gen_data.counter import uniform
from gen_data.transforms.sourced import Sourced, draw

__all__ = ["Dequantize"]

_BELOW_ONE = 1 - 2.0**-12  # in float32, 255 + u must not round up to 256


@component
class Dequantize(Sourced):
    """Spreads every level evenly over its share of the range by adding uniform noise of one level's width."""

    mode: str = option("dynamic", choices=("dynamic", "static"), doc="drawn at every visit, or once per sample")
    seed: int = option(0, min=0, doc="of the draws in mode static; the seed of the run has no part in them")

    @property
    def random(self) -> bool:  # type: ignore[override]
        return self.mode == "dynamic"

    def domain(self, domain: Domain) -> Domain:
        if domain.levels is None:
            raise ShapeError("dequantize takes data with levels (8-bit images, say): these are continuous already")
        self.see(domain)
        return attrs.evolve(domain, levels=None)

    def __call__(self, x: Tensor, index: Tensor, rng: torch.Generator | None = None) -> Tensor:
        levels = self.source.levels
        assert levels is not None, "domain refuses data without levels"
        low, high = self.source.range
        level = ((x - low) * ((levels - 1) / (high - low))).round()
        if self.random:
            noise = draw(tuple(x.shape), x, rng)
        else:
            noise = uniform(key("dequantize", self.seed), index.to(x.device), tuple(x.shape[1:]))
        return low + (high - low) / levels * (level + noise.clamp(max=_BELOW_ONE))
