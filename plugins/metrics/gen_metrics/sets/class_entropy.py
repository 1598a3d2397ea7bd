"""How evenly a model's samples fall into classes, as a classifier sees them.

    H = -sum_c p_c log2 p_c,   p_c = the share of generated samples whose best score is that of class c

log2 K bits for K classes in equal shares; 0 where every sample is of one class (a collapsed generator).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from gen.component import component, slot
from gen.errors import CommandError
from gen.evaluate import Evaluation, Measured
from gen.interfaces import Extractor, Metric
from gen.types import Shapes

__all__ = ["ClassEntropy", "entropy"]


@component
class ClassEntropy(Metric):
    """Entropy in bits of the classes that a classifier sees in the generated samples; the part `real` is the data's.

    Of a model told the labels it says how well the labels are obeyed on average, not how varied a class is.
    """

    better = "higher"
    draws = True
    example: ClassVar[dict[str, object]] = {"classifier": {"use": "metrics/classifier", "width": 4, "size": 8}}
    classifier: Extractor = slot(doc="a trained classifier: {run: RUN, part: body} of a metrics/classifier-model run")

    @classmethod
    def wire(cls, given: Shapes, **_: Any) -> Mapping[str, Shapes]:
        return {"classifier": given}

    def measure(self, evaluation: Evaluation) -> Measured:
        network: Any = self.classifier
        if not hasattr(network, "scores"):
            raise CommandError(
                f"metrics/class-entropy needs a trained classifier; {type(network).__name__} gives no scores of classes"
            )
        shares = {of: _shares(network, evaluation.features(network, of)) for of in ("generated", "real")}
        parts = {f"class-{c}": float(share) for c, share in enumerate(shares["generated"])}
        card = evaluation.card_of(network, evaluation.size("real"), evaluation.count)
        return Measured(entropy(shares["generated"]), "bits", {"real": entropy(shares["real"]), **parts}, card)


def _shares(network: Any, features: Tensor) -> Tensor:
    """The share of every class [K] among features [N, D]."""
    device = next(network.parameters()).device
    scores = torch.cat([network.scores(piece.to(device)).cpu() for piece in features.split(4096)])  # [N, K]
    return torch.bincount(scores.argmax(1), minlength=scores.shape[1]).double() / len(scores)


def entropy(shares: Tensor) -> float:
    """-sum p log2 p of shares [K] that sum to 1, in bits."""
    return float(-torch.special.xlogy(shares, shares).sum() / torch.log(torch.tensor(2.0, dtype=torch.float64))) + 0.0
