"""What a metric promises, asked of a model that errs by as much as it is told (`gen_sdk.checks.judged`)."""

from __future__ import annotations

import json
import math
from typing import Any

import torch

from gen.evaluate import Evaluation, Measured
from gen_sdk.checks.check import NotApplicable, check, expect
from gen_sdk.checks.judged import NATS, judged, sheet
from gen_sdk.checks.kinds.probing import generator, seeded
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS"]

KINDS = ("metric",)
SHAPE = (1, 12, 12)
COUNT = 48


def _judged(error: float = 0.0, **settings: Any) -> Evaluation:
    return judged(SHAPE, error=error, n=COUNT, **settings)


def _measure(subject: Subject, evaluation: Evaluation, seed: int = 0) -> Measured:
    """The metric of an evaluation, as `gen eval` takes it."""
    metric = subject.make(SHAPE, seed=seed, cond=True)
    evaluation.model.eval()
    with torch.no_grad(), seeded(5):
        return metric.measure(evaluation)  # type: ignore[no-any-return]


def _worse(subject: Subject, worse: float, than: float) -> bool:
    """Whether the first value is the worse one."""
    return worse > than if subject.spec.better == "lower" else worse < than


def _judges(subject: Subject) -> str:
    """Metrics that need a capability, or compare sets in the features of a slot, say how good a model is."""
    compares = any(slot.kind == "extractor" for slot in subject.spec.slots)
    return "" if subject.spec.needs or compares else "it states a cost or a loss, not how good a model is"


def _timeless(found: Measured) -> float:
    """The value, unless it is a time, which is never the same twice."""
    if found.unit.split(" ")[0] == "s":
        raise NotApplicable("it measures seconds")
    return found.value


@check(tier="bronze", kinds=KINDS, hint="return Measured(value, unit, parts, card): floats, text, and what JSON holds")
def measurements_are_records(subject: Subject) -> None:
    """A measurement is a finite number with a unit, finite parts, and a card that JSON holds."""
    found = _measure(subject, _judged(0.2))
    expect(isinstance(found, Measured), f"the result is a {type(found).__name__}, not Measured")
    expect(isinstance(found.value, float) and math.isfinite(found.value), f"the value is {found.value!r}")
    expect(isinstance(found.unit, str), "the unit is no text")
    for name, part in found.parts.items():
        expect(isinstance(part, (int, float)) and math.isfinite(part), f"the part {name} is {part!r}")
    json.dumps(found.record())


@check(tier="bronze", kinds=KINDS, hint="draw nothing, or from evaluation.seed; leave generators alone")
def measurements_repeat(subject: Subject) -> None:
    """The same evaluation gives the same value, whatever the global generator says."""
    first, metric = _timeless(_measure(subject, _judged(0.2))), subject.make(SHAPE, cond=True)
    with torch.no_grad(), seeded(99):
        again = metric.measure(_judged(0.2)).value
    expect(again == first, f"the value is {first!r}, then {again!r}")


@check(tier="silver", kinds=KINDS, hint="weigh batches by their samples; the last one is shorter")
def batches_are_irrelevant(subject: Subject) -> None:
    """The value is the same in batches of 48, of 20 (the last one shorter) and of 7."""
    values = {size: _timeless(_measure(subject, _judged(0.2, batch=size))) for size in (COUNT, 20, 7)}
    first = values[COUNT]
    for size, value in values.items():
        gap = abs(value - first)
        expect(
            gap <= _slack(subject, first), f"batches of {COUNT} give {first:.6g}, batches of {size} give {value:.6g}"
        )


def _slack(subject: Subject, value: float) -> float:
    """Rounding; codes are noisy by a draw per batch, so what is learned from them may tip over for a few samples."""
    return 0.15 if "encode" in subject.spec.needs else 1e-4 * max(1.0, abs(value))


@check(tier="silver", kinds=KINDS, hint="treat samples as a set: no neighbour in the order counts")
def order_of_samples_is_irrelevant(subject: Subject) -> None:
    """The value is the same for the samples in another order."""
    order = torch.randperm(COUNT, generator=generator(8))
    first = _timeless(_measure(subject, _judged(0.2)))
    other = _measure(subject, _judged(0.2, order=order)).value
    gap = abs(other - first)
    expect(gap <= _slack(subject, first), f"the value is {first:.6g}, in another order {other:.6g}")


@check(tier="silver", kinds=KINDS, applies=_judges, hint="set better = 'lower' or 'higher', as the value has it")
def worse_models_score_worse(subject: Subject) -> None:
    """A model that errs more scores worse, in the direction that `better` says; or one that always draws one sample."""
    expect(subject.spec.better in ("lower", "higher"), f"better is {subject.spec.better!r}: lower or higher")
    found = []
    for seed in range(5):  # an untrained network may tell nothing apart; another one does
        good, bad = _good_and_bad(subject, seed)
        if any(_worse(subject, value, good) for value in bad):
            return
        found.append(f"{good:.4g} against {', '.join(f'{value:.4g}' for value in bad)}")
    expect(False, f"a good model scores {found[0]} of a bad one; better is {subject.spec.better}")


def _good_and_bad(subject: Subject, seed: int) -> tuple[float, list[float]]:
    """The value of a good model, and those of bad ones; `seed` is of the metric's own weights."""
    small = 0.02 if "reconstruct" in subject.spec.needs else 0.0
    bad = [_measure(subject, _judged(0.5), seed).value]
    if not subject.spec.needs:
        one = sheet(COUNT, SHAPE, 4)[0][:1].expand(COUNT, *SHAPE).clone()
        bad.append(_measure(subject, _judged(made=one), seed).value)
    return _measure(subject, _judged(small), seed).value, bad


@check(
    tier="silver", kinds=KINDS, hint="mind the unit: nats per sample, bits per dimension, the range squared, decibels"
)
def known_values_come_out(subject: Subject) -> None:
    """Likelihoods and reconstruction errors that are known exactly come out, in the unit that the metric states."""
    needs = set(subject.spec.needs)
    if not needs or not needs <= {"log_prob", "reconstruct"}:
        raise NotApplicable("no known value: it needs neither log_prob nor reconstruct alone")
    error = 0.1
    found = _measure(subject, _judged(error))
    nats, dims = NATS + error, math.prod(SHAPE)
    known: dict[str, Any] = {
        "nats": nats,
        "bits/dim": nats / math.log(2) / dims,
        "range²": error**2,
        "dB": 10 * math.log10(4 / error**2),
    }
    wanted = known.get(found.unit.partition(",")[0])
    if wanted is None:
        raise NotApplicable(f"no known value in the unit {found.unit!r}")
    gap = abs(found.value - wanted)
    expect(
        gap <= 1e-3 * max(1.0, abs(wanted)), f"the value is {found.value:.5g} {found.unit}, it should be {wanted:.5g}"
    )


@check(
    tier="silver", kinds=KINDS, applies=_judges, hint="compare sets by what they hold; equal sets are as good as can be"
)
def equal_sets_score_best(subject: Subject) -> None:
    """Generated samples that are the real ones score no worse than new, moved or repeated ones."""
    if subject.spec.needs:
        raise NotApplicable("it looks at no generated samples")
    real = sheet(COUNT, SHAPE, 3)[0]
    equal = _measure(subject, _judged(made=real)).value
    moved = [_measure(subject, _judged(shift)).value for shift in (0.1, 0.5)]
    slack = 1e-6 * max(1.0, abs(equal))
    best = all(_worse(subject, value, equal) or abs(value - equal) <= slack for value in moved)
    shown = ", ".join(f"{value:.4g}" for value in moved)
    expect(best, f"equal sets score {equal:.4g}, sets moved apart {shown}; better is {subject.spec.better}")


CHECKS = (
    measurements_are_records,
    measurements_repeat,
    batches_are_irrelevant,
    order_of_samples_is_irrelevant,
    worse_models_score_worse,
    known_values_come_out,
    equal_sets_score_best,
)
