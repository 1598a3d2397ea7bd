"""Metrics: sound toys pass, and each check catches the fault planted for it."""

from __future__ import annotations

import pytest
import torch

from gen.component import component, slot
from gen.evaluate import Measured
from gen.interfaces import Extractor, Metric
from gen.types import Shapes
from gen_sdk.checks.kinds import metric

BY_ID = {check.id: check for check in metric.CHECKS}


@component
class Gap(Metric):
    """Distance between the means and spreads of two sets of features."""

    draws = True
    features: Extractor = slot(doc="x to features")

    @classmethod
    def wire(cls, given, **_):
        return {"features": Shapes(given.in_shape, (4,))}

    def measure(self, evaluation):
        real, made = (evaluation.features(self.features, of) for of in ("real", "generated"))
        return Measured(self.compare(real.double(), made.double()), "")

    def compare(self, real, made):
        return float((real.mean(0) - made.mean(0)).norm() + (real.std(0) - made.std(0)).norm())


@component
class Error(Metric):
    """Mean squared error of reconstructions."""

    needs = ("reconstruct",)

    def measure(self, evaluation):
        model = evaluation.model
        rows = evaluation.rows(lambda batch: self.squares(model, batch.x))
        return Measured(float(rows.mean()), "range²")

    def squares(self, model, x):
        return (model.reconstruct(x) - x).square().flatten(1).mean(1)


@component
class Nats(Metric):
    """The mean of -log p(x)."""

    needs = ("log_prob",)

    def measure(self, evaluation):
        values = evaluation.rows(lambda batch: -evaluation.model.log_prob(batch.x, batch.cond))
        return Measured(float(values.mean()), "nats")


@pytest.mark.parametrize("sound", [Gap, Error, Nats])
def test_a_sound_metric_passes_every_check(verdict, sound):
    results = [verdict(check, sound) for check in metric.CHECKS]

    assert [(r.check, r.said) for r in results if r.outcome == "failed"] == []
    assert sum(r.outcome == "passed" for r in results) >= 5


def mean_of_batch_means(self, evaluation):
    means = [self.squares(evaluation.model, batch.x).mean() + batch.x.abs().mean() for batch in evaluation.batches()]
    return Measured(float(torch.stack(means).mean()), "range²")


def neighbours_in_order(self, real, made):
    return float((real[1:] - real[:-1]).norm() + (real.mean(0) - made.mean(0)).norm())


def a_draw_of_its_own(self, evaluation):
    return Measured(float(torch.rand(())), "")


FAULTS = [
    ("measurements-are-records", Gap, {"compare": lambda s, real, made: torch.tensor(1.0)}, "the value is tensor"),
    ("measurements-are-records", Gap, {"compare": lambda s, real, made: float("nan")}, "the value is nan"),
    ("measurements-repeat", Gap, {"measure": a_draw_of_its_own}, "the value is"),
    ("batches-are-irrelevant", Error, {"measure": mean_of_batch_means}, "batches of 20"),
    ("order-of-samples-is-irrelevant", Gap, {"compare": neighbours_in_order}, "in another order"),
    ("worse-models-score-worse", Gap, {"better": "higher"}, "better is higher"),
    ("worse-models-score-worse", Error, {"squares": lambda s, m, x: -Error.squares(s, m, x)}, "better is lower"),
    (
        "known-values-come-out",
        Nats,
        {"measure": lambda s, e: Measured(2 * Nats.measure(s, e).value, "nats")},
        "it should be",
    ),
    (
        "known-values-come-out",
        Nats,
        {"measure": lambda s, e: Measured(Nats.measure(s, e).value, "bits/dim")},
        "it should be",
    ),
    ("known-values-come-out", Error, {"squares": lambda s, m, x: Error.squares(s, m, x).sqrt()}, "it should be"),
    (
        "equal-sets-score-best",
        Gap,
        {"compare": lambda s, real, made: abs(Gap.compare(s, real, made) - 0.3)},
        "equal sets score",
    ),
]


@pytest.mark.parametrize(
    ("id", "sound", "changes", "said"), FAULTS, ids=[f"{n}-{case[0]}" for n, case in enumerate(FAULTS)]
)
def test_a_planted_fault_is_caught(verdict, id, sound, changes, said):
    result = verdict(BY_ID[id], sound, **changes)

    assert result.outcome == "failed"
    assert said in result.said


def test_every_check_has_a_planted_fault():
    assert {case[0] for case in FAULTS} == set(BY_ID)
