"""What a sampler promises, asked of a model whose every answer is known (`gen_sdk.checks.analytic`)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from gen.errors import GenError
from gen.interfaces import Sampler
from gen.types import Given
from gen_sdk.checks.analytic import Analytic, analytic, batches
from gen_sdk.checks.check import NotApplicable, check, expect
from gen_sdk.checks.generic.comparing import apart
from gen_sdk.checks.generic.shapes import NEAR
from gen_sdk.checks.kinds.probing import expect_close, expect_equal, expect_shape, generator, undisturbed
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS"]

KINDS = ("sampler",)
SHAPE = (1, 4, 4)
DENOISE = {"denoise", "reverse_variance"}


def _model(subject: Subject, conditional: bool = False) -> Analytic:
    domains = ("a", "b") if "to" in subject.spec.given else ("x",)
    return analytic(SHAPE, domains=domains, conditional=conditional)


def _sampler(subject: Subject, model: Analytic, **options: Any) -> Any:
    """The sampler, fitted to the model's data where it learns something."""
    sampler = subject.make(**options)
    if _fits(subject) == "":
        sampler.fit(model, batches(model))
    return sampler


def _given(subject: Subject, model: Analytic, n: int) -> Given | None:
    """What the sampler declares to start from: samples of the truth, half of each known, the last domain."""
    wants = subject.spec.given
    if not wants:
        return None
    x, mask = model.draws(n, generator(21)), torch.ones(n, *SHAPE)
    mask[..., 2:, :] = 0
    to = list(model.data.domains)[-1] if "to" in wants else None
    return Given(x if "x" in wants else None, mask if "mask" in wants else None, to)


def _draw(
    subject: Subject, sampler: Any, model: Analytic, n: int, seed: int = 0, cond: Tensor | None = None, **more: Any
) -> Tensor:
    given = _given(subject, model, n)
    return sampler.sample(model, n, rng=generator(seed), cond=cond, given=given, **more)  # type: ignore[no-any-return]


def _fits(subject: Subject) -> str:
    return "it has nothing to fit" if subject.cls.fit is Sampler.fit else ""  # type: ignore[attr-defined]


def _draws_freely(subject: Subject) -> str:
    return "it starts from given data" if "x" in subject.spec.given else ""


def _denoises(subject: Subject) -> str:
    needs = set(subject.spec.needs)
    only = bool(needs) and needs <= DENOISE and not subject.spec.given
    return "" if only else "it is for samplers that need denoise alone"


def _takes_steps(subject: Subject) -> str:
    if reason := _denoises(subject):
        return reason
    return "" if subject.spec.option("steps") else "it has no option steps"


def _solves(subject: Subject) -> str:
    if subject.spec.traits.get("order") is None:
        return "it declares no order of convergence"
    if subject.spec.traits.get("stochastic"):
        return "it is stochastic: steps of another size meet other noise"
    return _takes_steps(subject)


def _listens(subject: Subject) -> str:
    silent = {"translate", "forecast"}
    return "what it needs of a model takes no labels" if set(subject.spec.needs) <= silent else ""


@check(tier="bronze", kinds=KINDS, hint="return [n, *shape] without a graph: decorate sample with torch.no_grad()")
def sampler_draws_what_was_asked(subject: Subject) -> None:
    """n samples come, in the shape of the data, floating point, finite, without gradients, for n of 1, 3 and 8."""
    model = _model(subject)
    sampler = _sampler(subject, model)
    for n in (1, 3, 8):
        x = _draw(subject, sampler, model, n)
        expect_shape(x, (n, *SHAPE), f"{n} samples")
        expect(x.is_floating_point() and bool(x.isfinite().all()), f"samples are {x.dtype}, or not finite")
        expect(not x.requires_grad, "samples carry a graph of gradients: memory grows with every step")


@check(
    tier="bronze", kinds=KINDS, hint="draw all noise from rng; no torch.randn without generator=, no seed of its own"
)
def sampler_is_reproducible(subject: Subject) -> None:
    """Samples are a function of rng and of what is given; the global generator is left alone."""
    model = _model(subject)
    sampler = _sampler(subject, model)
    with undisturbed("sample"):
        first, again, other = (_draw(subject, sampler, model, 4, seed) for seed in (1, 1, 2))
    expect_equal(again, first, "samples under one seed")
    if not subject.spec.given:
        expect(not torch.equal(first, other), "samples are the same under two seeds: rng is not used")
        expect(len(first.flatten(1).unique(dim=0)) == 4, "samples of one draw are equal")


@check(
    tier="silver",
    kinds=KINDS,
    hint="widen what the model answers (gen.precision.widen), take delicate products outside autocast (no_autocast)",
)
def half_precision_draws_stay_near(subject: Subject) -> None:
    """Under autocast to bfloat16 samples are finite and within a tenth of those in float32."""
    model = _model(subject)
    sampler = _sampler(subject, model)
    exact = _draw(subject, sampler, model, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = _draw(subject, sampler, model, 4).to(exact.dtype)
    expect(bool(rough.isfinite().all()), "samples are not finite under autocast")
    gap = apart(rough, exact)
    expect(gap <= NEAR, f"samples under autocast differ by {gap:.1e} of the largest value, {NEAR} is allowed")


@check(
    tier="silver", kinds=KINDS, applies=_draws_freely, hint="treat rows alike and apart: no statistics over the batch"
)
def sampled_rows_are_independent(subject: Subject) -> None:
    """What the model says of one row changes that row alone: a batch may be split."""
    model = _model(subject)
    sampler = _sampler(subject, model)
    before = _draw(subject, sampler, model, 5)
    for row in (0, 3):
        model.spoiled = row
        after = _draw(subject, sampler, model, 5)
        model.spoiled = None
        others = [i for i in range(5) if i != row]
        expect_close(after[others], before[others], 1e-6, f"the other rows, when the model errs on row {row},")
        expect(not torch.equal(after[row], before[row]), f"row {row} stays the same although the model errs on it")


@check(tier="silver", kinds=KINDS, hint="ask the model for the whole batch at once, never sample by sample")
def model_is_called_for_the_whole_batch(subject: Subject) -> None:
    """As many calls of the model serve 2 samples as 8; where the sampler states its `nfe`, it is that many."""
    model = _model(subject)
    sampler = _sampler(subject, model)
    counts = []
    for n in (2, 8):
        model.calls = 0
        _draw(subject, sampler, model, n)
        counts.append(model.calls)
    expect(counts[0] == counts[1], f"2 samples take {counts[0]} calls of the model, 8 take {counts[1]}")
    stated = getattr(sampler, "nfe", None)
    expect(not isinstance(stated, int) or stated == counts[0], f"it states {stated} evaluations and makes {counts[0]}")


@check(tier="silver", kinds=KINDS, applies=_takes_steps, hint="call the model equally often in every step")
def calls_grow_with_steps(subject: Subject) -> None:
    """Every four steps more take as many more calls of the model, and at least four."""
    model, counts = _model(subject), []
    for steps in (4, 8, 12):
        sampler = _sampler(subject, model, steps=steps)
        model.calls = 0
        _draw(subject, sampler, model, 2)
        counts.append(model.calls)
    first, second = counts[1] - counts[0], counts[2] - counts[1]
    expect(first == second and first >= 4, f"4, 8 and 12 steps take {counts} calls of the model")


@check(tier="silver", kinds=KINDS, hint="call observe(step, total, x) once a step, from 1 to total, with x [n, *shape]")
def observers_see_every_step(subject: Subject) -> None:
    """observe, where it is called, hears of rising steps up to the total, sees [n, *shape], and changes nothing."""
    model, seen = _model(subject), []
    sampler = _sampler(subject, model)

    def observe(step: int, total: int, x: Tensor) -> None:
        seen.append((step, total, tuple(x.shape)))

    watched = _draw(subject, sampler, model, 3, observe=observe)
    expect_equal(_draw(subject, sampler, model, 3), watched, "samples unobserved against samples observed")
    if not seen:
        if "denoise" in subject.spec.needs:
            expect(False, "observe is never called: progress and films need it")
        raise NotApplicable("it has no steps to observe")
    steps, totals = [s for s, _, _ in seen], {t for _, t, _ in seen}
    expect(len(totals) == 1 and steps[-1] == seen[0][1], f"the last step is {steps[-1]} of {totals}")
    expect(all(b > a for a, b in pairwise(steps)), f"steps do not rise: {steps[:8]}")
    expect(all(shape[-3:] == SHAPE for _, _, shape in seen), f"x has the shape {seen[0][2]}, not [n, {SHAPE}]")


@check(
    tier="silver",
    kinds=KINDS,
    applies=lambda subject: "" if subject.spec.given else "it starts from noise alone",
    hint="check given first and say what is missing; keep known pixels as they are; never write into given.x",
)
def given_is_honoured(subject: Subject) -> None:
    """Nothing given is refused with a message; what is given stays as it was; known pixels come back exactly."""
    model = _model(subject)
    sampler = _sampler(subject, model)
    try:
        sampler.sample(model, 2, rng=generator())
    except GenError as error:
        expect(len(str(error)) > 15, f"the refusal says too little: {error}")
    else:
        expect(False, f"it declares to start from {', '.join(subject.spec.given)} and does without")
    given = _given(subject, model, 3)
    assert given is not None, "it is for samplers that declare something"
    kept = None if given.x is None else given.x.clone()
    out = sampler.sample(model, 3, rng=generator(), given=given)
    if given.x is not None and kept is not None:
        expect_equal(given.x, kept, "given.x")
        other = Given(model.draws(3, generator(33)), given.mask, given.to)
        changed = sampler.sample(model, 3, rng=generator(), given=other)
        expect(not torch.equal(changed, out), "other data give the same samples: given.x is not used")
        if given.mask is not None:
            expect_equal(out * given.mask, given.x * given.mask, "known pixels")
        more = sampler.sample(model, 7, rng=generator(), given=given)
        expect_shape(more, (7, *SHAPE), "7 samples from 3 given ones")


@check(
    tier="silver",
    kinds=KINDS,
    applies=_fits,
    hint="keep what fit learned in tensors, give all of them in state(), take them back in restore()",
)
def fits_are_kept_and_restored(subject: Subject) -> None:
    """A sampler given the state of a fitted one draws the same; fitted twice it is the same; unfitted it refuses."""
    model = _model(subject)
    sampler, fresh = _sampler(subject, model), subject.make()
    expect(fresh.state() == {}, "a sampler that was not fitted has a state")
    try:
        _draw(subject, fresh, model, 2)
    except GenError as error:
        expect("fit" in str(error), f"the refusal of an unfitted sampler does not speak of fit: {error}")
    else:
        expect(False, "it draws although it was not fitted")
    state = sampler.state()
    expect(
        bool(state) and all(isinstance(t, Tensor) for t in state.values()), "the state is empty, or holds no tensors"
    )
    before = {name: tensor.clone() for name, tensor in state.items()}
    drawn = _draw(subject, sampler, model, 4)
    fresh.restore({name: tensor.contiguous().clone() for name, tensor in before.items()})
    expect_equal(_draw(subject, fresh, model, 4), drawn, "samples after restore against samples after fit")
    for name, tensor in sampler.state().items():
        expect_equal(tensor, before[name], f"the state {name} after sampling")
    again = _sampler(subject, model).state()
    expect(again.keys() == before.keys(), "another fit of the same data has other entries")
    for name, tensor in again.items():
        expect_equal(tensor, before[name], f"the state {name} of another fit to the same data")


@check(tier="silver", kinds=KINDS, applies=_listens, hint="pass cond on to every call of the model, row by row")
def labels_reach_the_model(subject: Subject) -> None:
    """A sample's label, and no other's, decides what the conditional model makes of it."""
    model = _model(subject, conditional=True)
    sampler = _sampler(subject, model)
    labels = torch.tensor([0, 1, 2, 0])
    first = _draw(subject, sampler, model, 4, cond=labels)
    freely = _draws_freely(subject) == ""
    changed = torch.tensor([0, 0, 2, 0]) if freely else (labels + 1) % 3
    other = _draw(subject, sampler, model, 4, cond=changed)
    expect(not torch.equal(other, first), "another label changes nothing: cond does not reach the model")
    if freely:
        expect(not torch.equal(other[1], first[1]), "sample 1 stays the same although its label changed")
        expect_close(other[[0, 2, 3]], first[[0, 2, 3]], 1e-6, "samples whose label stayed the same")


@check(
    tier="silver", kinds=KINDS, applies=_solves, hint="check the weights of the stages and the times they are taken at"
)
def sampler_converges_with_its_order(subject: Subject) -> None:
    """On an analytic Gaussian halving the steps' size divides the error by 2^order, to 0.3 in the exponent."""
    model, found = _model(subject).double(), []
    for steps in (20, 40, 80):
        found.append(_draw(subject, _sampler(subject, model, steps=steps), model, 4).double())
    coarse, fine = (found[0] - found[1]).norm().item(), (found[1] - found[2]).norm().item()
    expect(fine > 0 or coarse == 0, "other numbers of steps give the same samples")
    if coarse < 1e-5:
        return  # exact but for rounding
    observed = torch.tensor(coarse / max(fine, 1e-12)).log2().item()
    declared = subject.spec.traits["order"]
    expect(observed >= declared - 0.3, f"the observed order is {observed:.2f}, declared {declared:g}")


@check(
    tier="silver", kinds=KINDS, applies=_denoises, hint="start from alpha(1), sigma(1) of the schedule, end at t = 0"
)
def samples_have_the_models_moments(subject: Subject) -> None:
    """On an analytic Gaussian 2,000 samples have its mean and variance, within 4 standard errors and a few per cent."""
    model, n = _model(subject), 2000
    steps = subject.spec.option("steps")
    many = {"steps": max(100, steps.default if isinstance(steps.default, int) else 0)} if steps else {}
    x = _draw(subject, _sampler(subject, model, **many), model, n).double()
    mean_gap = (x.mean(0) - model.m).abs() / model.s
    ratio = x.var(0) / model.s.square()
    allowed = 4 / n**0.5 + 0.03
    expect(mean_gap.max().item() <= allowed, f"a mean is off by {mean_gap.max():.3f} standard deviations")
    wrong = (ratio - 1).abs().max().item()
    expect(
        wrong <= 4 * (2 / n) ** 0.5 + 0.08, f"variances are {ratio.min():.2f} to {ratio.max():.2f} times the truth's"
    )


CHECKS = (
    sampler_draws_what_was_asked,
    sampler_is_reproducible,
    half_precision_draws_stay_near,
    sampled_rows_are_independent,
    model_is_called_for_the_whole_batch,
    calls_grow_with_steps,
    observers_see_every_step,
    given_is_honoured,
    fits_are_kept_and_restored,
    labels_reach_the_model,
    sampler_converges_with_its_order,
    samples_have_the_models_moments,
)
