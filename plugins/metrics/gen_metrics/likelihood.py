"""What a model says of held-out data, in nats per sample and in bits per dimension.

log p(x) is exact, a lower bound or an estimate, as the family declares (`log_prob_kind`); the card and the unit say
which. The mean of -log p(x) over a lower bound is an upper bound of the true one: -ELBO.
"""

from __future__ import annotations

import inspect
import math
from typing import Any

from gen.component import component, interface, option
from gen.errors import CommandError
from gen.evaluate import Evaluation, Measured
from gen.interfaces import Metric

__all__ = ["BitsPerDim", "Elbo", "ImportanceNLL"]

UNITS = {"exact": "{}", "lower bound": "{}, at most", "estimate": "{}, estimated"}
"""-log p(x) from an exact value, from a lower bound of log p(x) (so it is at most that), from an estimate."""


@interface
class _Likelihood(Metric):
    """The part `error` is the standard error of the mean over samples."""

    needs = ("log_prob",)
    samples: int | None = option(None, min=2, doc="samples of the split that are measured, the first ones; null: all")

    def nats(self, evaluation: Evaluation, **settings: int) -> tuple[float, float, dict[str, Any]]:
        """The mean of -log p(x) and its standard error; for the card what kind of figure it is, and of how many."""
        model: Any = evaluation.model
        values = evaluation.rows(
            lambda batch: -model.log_prob(batch.x, batch.cond, **settings).double(), n=self.samples
        )  # [N]
        card: dict[str, Any] = {"log_prob": model.log_prob_kind}
        if self.samples is not None:
            card["samples"] = len(values)
        error = float(values.std()) / math.sqrt(len(values)) if len(values) > 1 else math.nan
        return float(values.mean()), error, card


@component
class Elbo(_Likelihood):
    """The mean of -log p(x) over the split in nats per sample: -ELBO where the family bounds log p(x) from below."""

    def measure(self, evaluation: Evaluation) -> Measured:
        value, error, card = self.nats(evaluation)
        return Measured(value, UNITS[card["log_prob"]].format("nats"), {"error": error}, card)


@component
class ImportanceNLL(_Likelihood):
    """The mean of -IWAE-k in nats per sample: a bound tighter than -ELBO (Burda et al. 2015, arXiv:1509.00519).

    For families whose log_prob takes `draws`: k draws of the posterior for every sample. It costs k evaluations.
    """

    k: int = option(200, min=1, max=1_000_000, doc="draws of the posterior for every sample")

    def measure(self, evaluation: Evaluation) -> Measured:
        model: Any = evaluation.model
        if "draws" not in inspect.signature(model.log_prob).parameters:
            raise CommandError(f"metrics/iwae-nll draws from a posterior, and {type(model).__name__} has none")
        value, error, card = self.nats(evaluation, draws=self.k)
        unit = UNITS[card["log_prob"]].format("nats")
        return Measured(value, unit, {"error": error}, card | {"log_prob": f"{card['log_prob']}, IWAE-{self.k}"})


@component
class BitsPerDim(_Likelihood):
    """-log2 p(x) per dimension of quantized data (Theis et al. 2016, arXiv:1511.01844).

    A family whose log_prob is the density of dequantized data (a flow, say) needs `density: true`: a level then takes
    (high - low)/levels of each axis.
    """

    density: bool = option(False, doc="log_prob is a density over the range, not the probability of levels")

    def measure(self, evaluation: Evaluation) -> Measured:
        domain = evaluation.domain
        if domain.levels is None:
            raise CommandError("metrics/bits-per-dim needs quantized data; these have no levels")
        value, error, card = self.nats(evaluation)
        scale = math.log(2) * math.prod(domain.shape)
        bits = value / scale
        if self.density:
            bits -= math.log2((domain.range[1] - domain.range[0]) / domain.levels)
        return Measured(bits, UNITS[card["log_prob"]].format("bits/dim"), {"error": error / scale}, card)
