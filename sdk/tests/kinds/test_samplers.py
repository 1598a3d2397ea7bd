"""Samplers: sound toys pass, and each check catches the fault planted for it."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import pytest
import torch

from gen.component import component, option
from gen.errors import GenError
from gen.interfaces import Sampler
from gen_sdk.checks.analytic import analytic
from gen_sdk.checks.kinds import sampler
from gen_sdk.checks.toys import normals

BY_ID = {check.id: check for check in sampler.CHECKS}


@component
class Euler(Sampler):
    """Equal steps of the probability flow from noise to data: dx/dt by x and noise that denoise implies."""

    needs = ("denoise",)
    traits: ClassVar[dict] = {"order": 1}
    steps: int = option(20, min=1, doc="steps")

    def start(self, model, n, rng):
        like = torch.empty(n, *model.data.shape, dtype=model.m.dtype if model.unit.dtype == torch.float64 else None)
        return normals(like, rng)

    @torch.no_grad()
    def sample(self, model, n, *, rng, cond=None, given=None, observe=None):
        times = torch.linspace(1, 0, self.steps + 1, dtype=torch.float64)
        x = self.start(model, n, rng)
        for number, (t, s) in enumerate(pairwise(times), 1):
            x = self.advance(model, x, t, s, cond)
            if observe is not None:
                observe(number, self.steps, x)
        return x

    def advance(self, model, x, t, s, cond):
        """x is carried along a circle of the schedule: exact where clean x and noise stay put."""
        clean = model.denoise(x, t, cond)
        alpha, sigma = model.schedule.alpha(t), model.schedule.sigma(t)
        noise = (x - alpha * clean) / sigma
        slope = model.schedule.d_alpha(t) * clean + model.schedule.d_sigma(t) * noise
        return (x + (s - t) * slope).to(x.dtype)


@component
class Fitted(Sampler):
    """Codes with the mean and spread of those of the data."""

    needs = ("encode", "decode")

    @torch.no_grad()
    def fit(self, model, batches):
        codes = torch.cat([model.encode(batch.x, batch.cond) for batch in batches])
        self.kept = {"mean": codes.mean(0), "std": codes.std(0)}

    def state(self):
        return dict(getattr(self, "kept", {}))

    def restore(self, state):
        self.kept = dict(state)

    @torch.no_grad()
    def sample(self, model, n, *, rng, cond=None, given=None, observe=None):
        kept = self.state()
        if not kept:
            raise GenError("this sampler draws from what fit learned, and it was not fitted")
        noise = torch.randn(n, len(kept["mean"]), generator=rng)
        return model.decode(kept["mean"] + kept["std"] * noise, cond)


@component
class Fill(Sampler):
    """What a model makes of the unknown pixels."""

    needs = ("complete",)
    given = ("x", "mask")

    @torch.no_grad()
    def sample(self, model, n, *, rng, cond=None, given=None, observe=None):
        if given is None or given.x is None or given.mask is None:
            raise GenError("this sampler starts from data and a mask: give it Given(x=..., mask=...)")
        rows = torch.arange(n) % len(given.x)
        return model.complete(given.x[rows], given.mask[rows], cond, rng)


@pytest.mark.parametrize("sound", [Euler, Fitted, Fill])
def test_a_sound_sampler_passes_every_check(verdict, sound):
    results = [verdict(check, sound) for check in sampler.CHECKS]

    assert [(r.check, r.said) for r in results if r.outcome == "failed"] == []
    assert sum(r.outcome == "passed" for r in results) >= 5


def test_the_analytic_models_samples_have_the_density_it_states():
    model = analytic()
    x = model.draws(4000, torch.Generator().manual_seed(0))

    entropy = -(model.s.log() + 0.5 * torch.log(torch.tensor(2 * torch.pi * torch.e))).sum()
    assert abs(model.log_prob(x).mean().item() - entropy.item()) < 0.2
    assert torch.allclose(model.decode(model.encode(x)), x, atol=1e-5)


def one_by_one(self, model, x, t, s, cond):
    rows = [
        Euler.advance(self, model, x[i : i + 1], t, s, None if cond is None else cond[i : i + 1]) for i in range(len(x))
    ]
    return torch.cat(rows)


def own_seed(self, model, n, rng):
    return Euler.start(self, model, n, torch.Generator().manual_seed(0))


def whitened(self, model, x, t, s, cond):
    return Euler.advance(self, model, x - 0.01 * x.mean(0), t, s, cond)


def thrifty(self, model, x, t, s, cond):
    """Asks the model in every other step only."""
    if round(float(t) * self.steps) % 3:
        return Euler.advance(self, model, x, t, s, cond)
    return x


def deaf(self, model, n, *, rng, cond=None, given=None, observe=None):
    return Euler.sample(self, model, n, rng=rng, cond=cond)


def late_start(self, model, n, rng):
    return 0.7 * Euler.start(self, model, n, rng)


def known_pixels_drift(self, model, n, *, rng, cond=None, given=None, observe=None):
    return Fill.sample(self, model, n, rng=rng, cond=cond, given=given) * 0.999


def keeps_the_graph(self, model, n, *, rng, cond=None, given=None, observe=None):
    return Euler.sample(self, model, n, rng=rng, cond=cond, given=given, observe=observe) * model.unit


def into_a_buffer(sampler, model, n, *, rng, cond=None, given=None, observe=None):
    """Writes what the model answers, in whatever precision, where float32 is expected."""
    x = torch.zeros(n, *model.data.shape)
    x[torch.arange(n)] = Fitted.sample(sampler, model, n, rng=rng, cond=cond)
    return x


def by_a_difference(sampler, model, n, *, rng, cond=None, given=None, observe=None):
    """Takes a small difference of large answers."""
    x = Fitted.sample(sampler, model, n, rng=rng, cond=cond)
    return (x + 100) - 100


FAULTS = [
    ("sampler-draws-what-was-asked", Euler, {"sample": keeps_the_graph}, "graph of gradients"),
    ("sampler-is-reproducible", Euler, {"start": own_seed}, "same under two seeds"),
    ("sampler-is-reproducible", Euler, {"start": lambda s, m, n, rng: Euler.start(s, m, n, None)}, "global generator"),
    ("sampled-rows-are-independent", Euler, {"advance": whitened}, "the other rows"),
    ("model-is-called-for-the-whole-batch", Euler, {"advance": one_by_one}, "2 samples take 40 calls"),
    ("model-is-called-for-the-whole-batch", Euler, {"nfe": 7}, "states 7 evaluations and makes 20"),
    ("calls-grow-with-steps", Euler, {"advance": thrifty}, "calls of the model"),
    ("observers-see-every-step", Euler, {"sample": deaf}, "observe is never called"),
    ("given-is-honoured", Fill, {"sample": known_pixels_drift}, "known pixels"),
    (
        "fits-are-kept-and-restored",
        Fitted,
        {"state": lambda s: {"mean": s.kept["mean"]} if hasattr(s, "kept") else {}},
        "raised KeyError",
    ),
    (
        "fits-are-kept-and-restored",
        Fitted,
        {"restore": lambda s, state: setattr(s, "kept", {k: 2 * v for k, v in state.items()})},
        "after restore",
    ),
    (
        "labels-reach-the-model",
        Euler,
        {"advance": lambda s, m, x, t, u, cond: Euler.advance(s, m, x, t, u, None)},
        "does not reach",
    ),
    (
        "labels-reach-the-model",
        Euler,
        {"advance": lambda s, m, x, t, u, cond: Euler.advance(s, m, x, t, u, cond if cond is None else cond.flip(0))},
        "sample",
    ),
    ("half-precision-draws-stay-near", Fitted, {"sample": into_a_buffer}, "dtype"),
    ("half-precision-draws-stay-near", Fitted, {"sample": by_a_difference}, "of the largest value"),
    ("sampler-converges-with-its-order", Euler, {"traits": {"order": 2}}, "declared 2"),
    ("samples-have-the-models-moments", Euler, {"start": late_start}, "variances are"),
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
