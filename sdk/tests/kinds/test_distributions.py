"""Posteriors, priors and likelihoods: sound toys pass, and each check catches the fault planted for it."""

from __future__ import annotations

import pytest
import torch

from gen.component import component, option
from gen.interfaces import Likelihood
from gen_sdk.checks.kinds import likelihood, posterior, prior
from gen_sdk.checks.toys import ToyLikelihood, ToyPosterior, ToyPrior, normals

CHECKS = (*posterior.CHECKS, *prior.CHECKS, *likelihood.CHECKS)
BY_ID = {check.id: check for check in CHECKS}


@component
class Coins(Likelihood):
    """Black and white by logits."""

    levels: int = option(2, min=2, max=2, doc="values")

    def param_shape(self, x_shape):
        return x_shape

    def log_prob(self, params, x):
        return torch.nn.functional.logsigmoid(params * x).flatten(1).sum(1)

    def mean(self, params):
        return 2 * params.sigmoid() - 1

    def sample(self, params, rng=None):
        u = torch.rand(params.shape, generator=rng)
        return 2 * (u < params.sigmoid()).float() - 1


@pytest.mark.parametrize(
    ("module", "sound"),
    [(posterior, ToyPosterior), (prior, ToyPrior), (likelihood, ToyLikelihood), (likelihood, Coins)],
)
def test_sound_distributions_pass_every_check(verdict, module, sound):
    for check in module.CHECKS:
        assert verdict(check, sound).outcome == "passed", (check.id, verdict(check, sound).said)


P, Q, L = ToyPosterior, ToyPrior, ToyLikelihood
FAULTS = [
    ("posterior-shapes", P, {"log_prob": lambda s, p, z: P.log_prob(s, p, z).mean()}, "log_prob"),
    ("posterior-draws-are-reproducible", P, {"rsample": lambda s, p, rng=None: P.rsample(s, p, None)}, "global"),
    (
        "posterior-draws-pass-gradients",
        P,
        {"rsample": lambda s, p, rng=None: P.rsample(s, p, rng).detach()},
        "gradient",
    ),
    ("posterior-mean-agrees-with-draws", P, {"mean": lambda s, p: p.chunk(2, 1)[1]}, "is off by"),
    ("posterior-integrates-to-one", P, {"log_prob": lambda s, p, z: P.log_prob(s, p, z) + 0.2}, "integrates to"),
    ("posterior-integrates-to-one", P, {"log_prob": lambda s, p, z: P.log_prob(s, p, z) / z.shape[1]}, "two|2 numbers"),
    ("kl-agrees-with-its-definition", P, {"kl": lambda s, p, prior, z: 0.5 * P.kl(s, p, prior, z)}, "kl to ToyPrior"),
    ("kl-is-not-negative", P, {"kl": lambda s, p, prior, z: -P.kl(s, p, prior, z)}, "the mean of kl"),
    ("posterior-survives-extreme-parameters", P, {"mean": lambda s, p: (20 * p.chunk(2, 1)[0]).exp()}, "not finite"),
    (
        "posterior-rows-are-independent",
        P,
        {"kl": lambda s, p, prior, z: P.kl(s, p, prior, z).mean().expand(len(p))},
        "one by one",
    ),
    ("prior-shapes", Q, {"sample": lambda s, n, rng=None: Q.sample(s, n, rng).flatten(1)}, "sample"),
    ("prior-draws-are-reproducible", Q, {"sample": lambda s, n, rng=None: torch.randn(n, *s.shape)}, "global"),
    ("prior-integrates-to-one", Q, {"log_prob": lambda s, z: -0.5 * z.square().flatten(1).sum(1)}, "integrates to"),
    ("prior-draws-follow-its-log-prob", Q, {"sample": lambda s, n, rng=None: 1.3 * Q.sample(s, n, rng)}, "lie"),
    (
        "prior-draws-differ",
        Q,
        {"sample": lambda s, n, rng=None: Q.sample(s, 1, rng).expand(n, *s.shape)},
        "two codes of one draw are equal",
    ),
    ("likelihood-shapes", L, {"log_prob": lambda s, p, x: L.log_prob(s, p, x).sum()}, "log_prob"),
    ("likelihood-draws-are-reproducible", L, {"sample": lambda s, p, rng=None: p + torch.randn_like(p)}, "global"),
    ("likelihood-sums-to-one", L, {"log_prob": lambda s, p, x: L.log_prob(s, p, x) - 0.1}, "of one number makes"),
    ("likelihood-sums-to-one", L, {"log_prob": lambda s, p, x: L.log_prob(s, p, x) / x[0].numel()}, "of two numbers"),
    ("likelihood-sums-to-one", Coins, {"log_prob": lambda s, p, x: (p * x).sigmoid().flatten(1).sum(1)}, "makes"),
    (
        "likelihood-draws-follow-its-log-prob",
        L,
        {"sample": lambda s, p, rng=None: p + 0.4 * normals(p, rng)},
        "distribution functions",
    ),
    ("likelihood-draws-follow-its-log-prob", Coins, {"sample": lambda s, p, rng=None: Coins.sample(s, -p, rng)}, "lie"),
    ("likelihood-mean-agrees-with-its-log-prob", Coins, {"mean": lambda s, p: p.sign()}, "log_prob implies"),
    (
        "likelihood-survives-extreme-parameters",
        Coins,
        {"log_prob": lambda s, p, x: (p * x * 4).sigmoid().log().flatten(1).sum(1)},
        "not finite",
    ),
    (
        "likelihood-rows-are-independent",
        L,
        {"log_prob": lambda s, p, x: L.log_prob(s, p - p.mean(0), x)},
        "one by one",
    ),
]


@pytest.mark.parametrize(
    ("id", "sound", "changes", "said"), FAULTS, ids=[f"{n}-{case[0]}" for n, case in enumerate(FAULTS)]
)
def test_a_planted_fault_is_caught(verdict, id, sound, changes, said):
    result = verdict(BY_ID[id], sound, **changes)

    assert result.outcome == "failed"
    assert any(part in result.said for part in said.split("|")), result.said


def test_every_check_has_a_planted_fault():
    assert {case[0] for case in FAULTS} == set(BY_ID)
