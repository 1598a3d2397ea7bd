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

import torch
from torch import Tensor

from gen.component import component, option, slot
from gen.evaluate import Evaluation, Measured
from gen.interfaces import Extractor, Metric
from gen.pictures import picture
from gen.types import Shapes
from gen_metrics.sets.neighbours import matches, nearest

__all__ = ["NearestNeighbour"]

PICTURED, COLUMNS = 24, 12


@component
class NearestNeighbour(Metric):
    """|log2| of the memorisation ratio: generated to nearest training sample, over held-out to nearest training sample.

    Parts: the ratio (well below 1: copies), both medians, and the share of generated samples that lie nearer to a
    training sample than the nearest-lying hundredth of the held-out ones. Between samples as they are, or between
    features. Pictures: the generated images that lie nearest to training ones, over those; and the first real images,
    over the nearest generated ones.
    """

    draws = True
    features: Extractor | None = slot(doc="x to features; none: the samples themselves")
    samples: int = option(1000, min=2, max=100_000, doc="generated and held-out samples, the first ones of each")

    @classmethod
    def wire(cls, given: Shapes, **_: Any) -> Mapping[str, Shapes]:
        return {"features": given}

    def measure(self, evaluation: Evaluation) -> Measured:
        train = evaluation.features(self.features, "train")
        drawn = evaluation.features(self.features, "generated", self.samples)  # [M, D]
        real = evaluation.features(self.features, "real", self.samples)  # [L, D]
        made, models = matches(drawn, train)  # [M]
        held = nearest(real, train)  # [L]
        typical, unseen = float(made.double().median()), float(held.double().median())
        ratio = typical / unseen if unseen else math.inf if typical else 1.0
        copies = float((made < held.double().quantile(0.01)).double().mean())
        parts = {"ratio": ratio, "generated": typical, "held-out": unseen, "suspects": copies}
        card = {**evaluation.card_of(self.features, len(held), len(made)), "train": len(train)}
        value = abs(math.log2(ratio)) if ratio else math.inf
        pictures = {}
        if evaluation.domain.modality == "image":
            closest = made.argsort(stable=True)[:PICTURED]
            first = torch.arange(min(PICTURED, len(real)))
            pictures = {
                "generated-over-nearest-training": _pairs(evaluation, "generated", closest, "train", models[closest]),
                "real-over-nearest-generated": _pairs(
                    evaluation, "real", first, "generated", matches(real[first], drawn)[1]
                ),
            }
        return Measured(value, "octaves from 1", parts, card, pictures)


def _pairs(evaluation: Evaluation, upper: str, these: Tensor, lower: str, those: Tensor) -> Tensor:
    """A picture [C, H, W] of samples of one set, each over a sample of another, in blocks of two rows."""
    x, y = evaluation.samples(upper, these), evaluation.samples(lower, those)  # [n, *shape]
    columns = min(len(x), COLUMNS)
    whole = len(x) - len(x) % columns
    blocks = [torch.cat([x[at : at + columns], y[at : at + columns]]) for at in range(0, whole, columns)]
    image = picture(torch.cat(blocks), evaluation.domain, columns)
    assert image is not None, "images have a picture"
    return image
