"""Losses, corruptions, optimizers and schedules: sound toys pass, and each check catches the fault planted for it."""

from __future__ import annotations

import random

import pytest
import torch
from torch.nn import functional as F

from gen.component import component
from gen.interfaces import LRSchedule, OptimizerSpec, Regularizer, Tracker, Weighting
from gen.lr_schedules import Cosine
from gen.noise_schedules import TrigonometricPath
from gen_sdk.checks.kinds import adversarial_loss, corruption, losses, noise_schedule, training
from gen_sdk.checks.toys import ToyCorruption, ToyDistance, ToyLoss, normals

MODULES = (adversarial_loss, corruption, losses, noise_schedule, training)
BY_ID = {check.id: check for module in MODULES for check in module.CHECKS}


@component
class Level(Weighting):
    """1/nsr + 1."""

    def __call__(self, nsr):
        return 1 / nsr + 1


@component
class Small(Regularizer):
    """Mean square of what a network puts out."""

    def __call__(self, network, batch, progress):
        return {"small": network(batch.x, batch.cond).square().mean()}


@component
class Descent(OptimizerSpec):
    """Adam as torch has it."""

    def make(self, groups, *, device):
        return torch.optim.Adam(groups)


@component
class Flat(LRSchedule):
    """1 throughout."""

    def factor(self, progress):
        return 1.0


@component
class Named(Tracker):
    """A tracker that accelerate knows by name."""

    def tracker(self, run, name):
        return "tensorboard"


@pytest.mark.parametrize(
    "sound", [ToyLoss, ToyCorruption, ToyDistance, Level, Small, TrigonometricPath, Descent, Flat, Cosine, Named]
)
def test_a_sound_component_passes_every_check_of_its_kind(verdict, sound):
    for check in BY_ID.values():
        if sound.kind in check.kinds:
            assert verdict(check, sound).outcome == "passed", (check.id, verdict(check, sound).said)


class Hoarder(torch.optim.SGD):
    """Momentum that is no part of its state."""

    def step(self, closure=None):
        self.speed = 0.5 * getattr(self, "speed", 0.0) + 1.0
        for group in self.param_groups:
            group["lr"] = group["lr"] * 1.0
            for parameter in group["params"]:
                parameter.data.add_(parameter.grad, alpha=-group["lr"] * self.speed)


def ignores_groups(self, groups, *, device):
    return torch.optim.Adam([p for group in groups for p in group["params"]], lr=self.lr)


def climbs(self, groups, *, device):
    return torch.optim.SGD(groups, maximize=True)


def runs_backward(self, network, batch, progress):
    penalty = network(batch.x, batch.cond).square().mean()
    if penalty.requires_grad:
        penalty.backward(retain_graph=True)
    return {"small": penalty}


def spoils_in_place(self, x, rng=None):
    return x.add_(0.1 * normals(x, rng))


def minus_log_sigmoid(self, real, fake):
    return -real.sigmoid().log().mean() - (1 - fake.sigmoid()).log().mean()


def pairs_in_order(self, real, fake):
    weight = torch.linspace(0.5, 1.5, len(real)).to(real).view(-1, *[1] * (real.ndim - 1))
    return (weight * F.softplus(-real)).mean() + F.softplus(fake).mean()


A, C, D, N = ToyLoss, ToyCorruption, ToyDistance, TrigonometricPath
FAULTS = [
    (
        "adversarial-losses-are-batch-means",
        A,
        {"discriminator": lambda s, r, f: F.softplus(-r).sum() + F.softplus(f).sum()},
        "taken twice",
    ),
    (
        "discriminator-learns-to-tell-apart",
        A,
        {"discriminator": lambda s, r, f: A.discriminator(s, f, r)},
        "does not pay",
    ),
    ("generator-learns-to-fool", A, {"generator": lambda s, f, r=None: F.softplus(f).mean()}, "does not pay"),
    (
        "only-paired-losses-need-real-logits",
        A,
        {"generator": lambda s, f, r=None: F.softplus((0 if r is None else r) - f).mean()},
        "without real logits",
    ),
    ("only-paired-losses-need-real-logits", A, {"paired": True}, "ignores real logits"),
    (
        "best-logit-rises-with-the-odds",
        A,
        {"discriminator": lambda s, r, f: (r - 0.5).square().mean() + (f - 0.5).square().mean()},
        "does not depend",
    ),
    ("extreme-logits-stay-finite", A, {"discriminator": minus_log_sigmoid}, "not finite"),
    ("order-of-the-batch-is-irrelevant", A, {"discriminator": pairs_in_order}, "in another order"),
    ("corruption-spoils-a-copy", C, {"__call__": spoils_in_place}, "the batch handed"),
    (
        "corruption-spoils-a-copy",
        C,
        {"__call__": lambda s, x, rng=None: C.__call__(s, x, rng).float()},
        "comes out as torch.float32",
    ),
    ("corruption-is-reproducible", C, {"__call__": lambda s, x, rng=None: x + torch.randn_like(x)}, "global generator"),
    (
        "corruption-spoils-every-row-anew",
        C,
        {"__call__": lambda s, x, rng=None: x + normals(x[:1], rng)},
        "spoiled alike",
    ),
    ("distances-are-per-sample", D, {"__call__": lambda s, y, x: D.__call__(s, y, x).mean()}, "not (3,)"),
    ("distance-is-least-at-the-data", D, {"__call__": lambda s, y, x: D.__call__(s, y, 0.9 * x)}, "nearer"),
    ("distance-is-least-at-the-data", D, {"mean": lambda s, y: (y / 2).tanh()}, "nearer"),
    (
        "distances-add-over-dimensions",
        D,
        {"__call__": lambda s, y, x: (y - x).square().flatten(1).mean(1)},
        "twice the distance",
    ),
    ("weights-are-positive", Level, {"__call__": lambda s, nsr: nsr.log()}, "not above 0"),
    ("weights-are-positive", Level, {"__call__": lambda s, nsr: 1 / (nsr - nsr.min())}, "not finite"),
    (
        "penalties-are-named-scalars",
        Small,
        {"__call__": lambda s, n, b, p: {"small": n(b.x, b.cond).square().mean(1)}},
        "not ()",
    ),
    (
        "penalties-reach-the-network",
        Small,
        {"__call__": lambda s, n, b, p: {"small": n(b.x, b.cond).detach().square().mean()}},
        "no gradient",
    ),
    ("penalties-name-the-networks-they-serve", Small, {"serves": ("critic",)}, "there are encoder, discriminator"),
    ("penalties-name-the-networks-they-serve", Small, {"serves": "encoder"}, "no tuple of names"),
    ("penalties-reach-the-network", Small, {"__call__": runs_backward}, "backward itself"),
    (
        "lazy-penalties-keep-their-names",
        Small,
        {"__call__": lambda s, n, b, p: {} if p.step % 2 else Small.__call__(s, n, b, p)},
        "at step 1",
    ),
    (
        "noise-grows-with-time",
        N,
        {"alpha": lambda s, t: N.sigma(s, t), "sigma": lambda s, t: N.alpha(s, t)},
        "grows with t",
    ),
    ("schedule-derivatives-are-right", N, {"d_sigma": lambda s, t: -N.d_sigma(s, t)}, "d_sigma"),
    ("times-come-back-from-log-snr", N, {"time_of": lambda s, log_snr: log_snr.sigmoid()}, "time_of"),
    ("optimizer-lowers-a-quadratic", Descent, {"make": climbs}, "the quadratic goes"),
    ("optimizer-honours-its-groups", Descent, {"make": ignores_groups}, "whose rate is 0"),
    (
        "optimizer-resumes",
        Descent,
        {"make": lambda s, groups, device: Hoarder(groups)},
        "after the state was handed over",
    ),
    ("factors-are-sound", Flat, {"factor": lambda s, progress: 1 - 2 * progress}, "factors run from"),
    ("factors-are-sound", Flat, {"factor": lambda s, progress: random.random()}, "other factors"),
    ("warm-up-is-continuous", Flat, {"factor": lambda s, progress: 0.2}, "jumps"),
    ("tracker-is-one-or-refuses", Named, {"tracker": lambda s, run, name: print}, "no tracker"),
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
