"""A metric: one value with its card, over the held-out split and generated samples.

The root mean square, over dimensions, of the difference between the means of real and generated samples; the same for
their standard deviations is a part of it. Shapes: N real samples, M generated ones.
"""

from __future__ import annotations

from torch import Tensor

from gen.component import component
from gen.evaluate import Evaluation, Measured
from gen.interfaces import Metric

__all__ = ["PixelMoments"]


@component
class PixelMoments(Metric):
    """How far the mean generated sample is from the mean real one; the part `deviation` compares the spread."""

    draws = True  # it looks at generated samples: a recipe without a sampler is refused before training
    better = "lower"

    def measure(self, evaluation: Evaluation) -> Measured:
        """`evaluation` draws samples once, however many metrics ask for them, and shares the work among processes."""
        real = evaluation.rows(lambda batch: batch.x).double()  # [N, *shape]
        made = evaluation.generated().double()  # [M, *shape]
        mean = _rms(real.mean(0) - made.mean(0))
        deviation = _rms(real.std(0, correction=0) - made.std(0, correction=0))
        card = evaluation.card_of(None, len(real), len(made))  # two values compare where their cards agree
        return Measured(mean, "range", {"deviation": deviation}, card)


def _rms(x: Tensor) -> float:
    return float(x.square().mean().sqrt())
