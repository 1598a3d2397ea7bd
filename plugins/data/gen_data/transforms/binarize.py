"""Grey to black and white.

The intensity u = (x - low) / (high - low) of a pixel is read as the probability of white (Salakhutdinov and Murray
2008 for one fixed draw, "static"; drawn anew at every visit, "dynamic"), or compared with a threshold.
"""

from __future__ import annotations

import attrs
import torch
from torch import Tensor

from gen.component import component, option
from gen.seeds import key
from gen.types import Domain
from gen_data.counter import uniform
from gen_data.transforms.sourced import Sourced, draw

__all__ = ["Binarize"]


@component
class Binarize(Sourced):
    """Makes every value the low or the high end of the range: drawn with its intensity, or by a threshold."""

    mode: str = option(
        "dynamic",
        choices=("dynamic", "static", "threshold"),
        doc="drawn at every visit, drawn once per sample, or not drawn",
    )
    threshold: float = option(0.5, min=0, max=1, doc="white from here on, as a share of the range (mode threshold)")
    seed: int = option(0, min=0, doc="of the draws in mode static; the seed of the run has no part in them")

    @property
    def random(self) -> bool:  # type: ignore[override]
        return self.mode == "dynamic"

    def domain(self, domain: Domain) -> Domain:
        self.see(domain)
        return attrs.evolve(domain, levels=2)

    def __call__(self, x: Tensor, index: Tensor, rng: torch.Generator | None = None) -> Tensor:
        low, high = self.source.range
        intensity = (x - low) / (high - low)
        if self.mode == "threshold":
            white = intensity >= self.threshold
        elif self.mode == "static":
            white = uniform(key("binarize", self.seed), index.to(x.device), tuple(x.shape[1:])) < intensity
        else:
            white = draw(tuple(x.shape), x, rng) < intensity
        return torch.where(white, high, low).to(x.dtype)
