"""What a model says of held-out data, in nats per sample and in bits per dimension.

log p(x) is exact, a lower bound or an estimate, as the family declares (`log_prob_kind`); the card and the unit say
which. The mean of -log p(x) over a lower bound is an upper bound of the true one: -ELBO.
"""

from __future__ import annotations

import inspect
import math
from typing import Any

from gen.component import component, option
from gen.errors import CommandError
from gen.evaluate import Evaluation, Measured
from gen.interfaces import Metric

__all__ = ["BitsPerDim", "Elbo", "ImportanceNLL"]

UNITS = {"exact": "{}", "lower bound": "{}, at most", "estimate": "{}, estimated"}
"""-log p(x) from an exact value, from a lower bound of log p(x) (so it is at most that), from an estimate."""


@component
class Elbo(Metric):
    """The mean of -log p(x) over the split in nats per sample: -ELBO where the family bounds log p(x) from below."""

    needs = ("log_prob",)

    def measure(self, evaluation: Evaluation) -> Measured:
        value, kind = _nats(evaluation)
        return Measured(value, UNITS[kind].format("nats"), {}, {"log_prob": kind})


@component
class ImportanceNLL(Metric):
    """The mean of -IWAE-k in nats per sample: a bound tighter than -ELBO (Burda et al. 2015, arXiv:1509.00519).

    For families whose log_prob takes `draws`: k draws of the posterior for every sample. It costs k evaluations.
    """

    needs = ("log_prob",)
    k: int = option(200, min=1, max=1_000_000, doc="draws of the posterior for every sample")

    def measure(self, evaluation: Evaluation) -> Measured:
        model: Any = evaluation.model
        if "draws" not in inspect.signature(model.log_prob).parameters:
            raise CommandError(f"metrics/iwae-nll draws from a posterior, and {type(model).__name__} has none")
        value, kind = _nats(evaluation, draws=self.k)
        return Measured(value, UNITS[kind].format("nats"), {}, {"log_prob": f"{kind}, IWAE-{self.k}"})


@component
class BitsPerDim(Metric):
    """-log2 p(x) per dimension of quantized data (Theis et al. 2016, arXiv:1511.01844).

    A family whose log_prob is the density of dequantized data (a flow, say) needs `density: true`: a level then takes
    (high - low)/levels of each axis.
    """

    needs = ("log_prob",)
    density: bool = option(False, doc="log_prob is a density over the range, not the probability of levels")

    def measure(self, evaluation: Evaluation) -> Measured:
        domain = evaluation.domain
        if domain.levels is None:
            raise CommandError("metrics/bits-per-dim needs quantized data; these have no levels")
        value, kind = _nats(evaluation)
        bits = value / math.log(2) / math.prod(domain.shape)
        if self.density:
            bits -= math.log2((domain.range[1] - domain.range[0]) / domain.levels)
        return Measured(bits, UNITS[kind].format("bits/dim"), {}, {"log_prob": kind})


def _nats(evaluation: Evaluation, **settings: int) -> tuple[float, str]:
    """The mean of -log p(x) over the split, and what kind it is."""
    model: Any = evaluation.model
    values = evaluation.rows(lambda batch: -model.log_prob(batch.x, batch.cond, **settings).double())  # [N]
    return float(values.mean()), model.log_prob_kind
