"""Does a model copy? Distances of generated samples to the training set, beside those of unseen real samples.

    ratio = median_j min_i |y_j - t_i|  /  median_l min_i |x_l - t_i|

t: training samples, y: generated, x: held out. Well below 1, generated samples lie nearer to training samples than
unseen data do: they are copies (in the spirit of Meehan et al. 2020, arXiv:2004.05675). Well above 1 they are unlike
the data. The value is |log2 ratio|, which is least where they are as far as unseen data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gen.component import component, option, slot
from gen.evaluate import Evaluation, Measured
from gen.interfaces import Extractor, Metric
from gen.types import Shapes
from gen_metrics.sets.neighbours import nearest

__all__ = ["NearestNeighbour"]


@component
class NearestNeighbour(Metric):
    """|log2| of the memorisation ratio: generated to nearest training sample, over held-out to nearest training sample.

    Parts: the ratio (well below 1: copies), both medians, and the share of generated samples that lie nearer to a
    training sample than the nearest-lying hundredth of the held-out ones. Between samples as they are, or between
    features.
    """

    draws = True
    features: Extractor | None = slot(doc="x to features; none: the samples themselves")
    samples: int = option(1000, min=2, max=100_000, doc="generated and held-out samples, the first ones of each")

    @classmethod
    def wire(cls, given: Shapes, **_: Any) -> Mapping[str, Shapes]:
        return {"features": given}

    def measure(self, evaluation: Evaluation) -> Measured:
        train = evaluation.features(self.features, "train")
        made = nearest(evaluation.features(self.features, "generated", self.samples), train)  # [M]
        held = nearest(evaluation.features(self.features, "real", self.samples), train)  # [L]
        typical, unseen = float(made.double().median()), float(held.double().median())
        ratio = typical / unseen if unseen else math.inf if typical else 1.0
        copies = float((made < held.double().quantile(0.01)).double().mean())
        parts = {"ratio": ratio, "generated": typical, "held-out": unseen, "suspects": copies}
        card = {**evaluation.card_of(self.features, len(held), len(made)), "train": len(train)}
        return Measured(abs(math.log2(ratio)) if ratio else math.inf, "octaves from 1", parts, card)
