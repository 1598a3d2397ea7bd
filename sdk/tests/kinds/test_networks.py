"""Networks: sound toys pass, and each check catches the fault planted for it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gen.component import component, interface, wired
from gen.interfaces import Part
from gen_sdk.checks.kinds import autoregressor, denoiser, discriminator, extractor, generator, network, quantizer
from gen_sdk.checks.toys import (
    ToyAutoregressor,
    ToyDecoder,
    ToyDenoiser,
    ToyDiscriminator,
    ToyEncoder,
    ToyExtractor,
    ToyGenerator,
)

MODULES = (network, generator, discriminator, denoiser, autoregressor, extractor, quantizer)
BY_ID = {check.id: check for module in MODULES for check in module.CHECKS}


@interface
class Quantizer(Part):
    """A kind of a plugin's own."""

    kind = "quantizer"
    shape: tuple[int, ...] = wired()


@component
class Thirds(Quantizer):
    """The nearest of -1, 0, 1 for the first number of a code; the others follow it."""

    values = 3

    def build(self):
        self.register_buffer("table", torch.tensor([-1.0, 0.0, 1.0]))

    def forward(self, z):
        tokens = (z[:, 0].unsqueeze(-1) - self.table).abs().argmin(-1)
        chosen = self.lookup(tokens)
        return z + (chosen - z).detach(), tokens, (z - chosen.detach()).square().flatten(1).sum(1)

    def lookup(self, tokens):
        return self.table[tokens].unsqueeze(1).expand(-1, self.shape[0], *self.shape[1:])

    def after_step(self):
        return None


SOUND = {
    ToyEncoder: (network,),
    ToyDecoder: (network,),
    ToyGenerator: (network, generator),
    ToyDiscriminator: (network, discriminator),
    ToyDenoiser: (network, denoiser),
    ToyAutoregressor: (network, autoregressor),
    ToyExtractor: (extractor,),
    Thirds: (quantizer,),
}


@pytest.mark.parametrize("sound", SOUND, ids=lambda cls: cls.kind)
def test_a_sound_network_passes_every_check(verdict, sound):
    for check in (check for module in SOUND[sound] for check in module.CHECKS):
        assert verdict(check, sound).outcome == "passed", (check.id, verdict(check, sound).said)


def looks_at_itself(self, x, cond=None):
    """Mask B where mask A belongs: a factor sees its own value."""
    return ToyAutoregressor.forward(self, x, cond) + 0.1 * x.repeat(1, self.per, *[1] * (x.ndim - 2))


def forgets(self, cache, position, previous):
    """The cached step leaves the last value out."""
    return ToyAutoregressor.step(self, cache, position, None)


def untold_null(self):
    """An embedding without a row for the null label."""
    ToyEncoder.build(self)
    if self.cond is not None:
        self.net.told = nn.Embedding(self.cond.size, 12)


def learns_in_evaluation(self, z):
    self.table.add_(0.3)
    return Thirds.forward(self, z)


def chooses_from_another_table(self, z):
    vectors, tokens, penalty = Thirds.forward(self, z)
    return vectors + 0.1, tokens, penalty


def rounds_for_good(self, z):
    vectors, tokens, penalty = Thirds.forward(self, z)
    return vectors.detach() + 0 * z, tokens, penalty


E, G, D, N, A, F, Q = ToyEncoder, ToyGenerator, ToyDiscriminator, ToyDenoiser, ToyAutoregressor, ToyExtractor, Thirds
FAULTS = [
    (
        "extreme-inputs-stay-finite",
        E,
        {"forward": lambda s, x, cond=None: E.forward(s, x.abs().log(), cond)},
        "not finite",
    ),
    ("gradients-reach-the-input", E, {"forward": lambda s, x, cond=None: E.forward(s, x.round(), cond)}, "zero for a"),
    (
        "gradients-reach-the-input",
        D,
        {"forward": lambda s, x, cond=None: D.forward(s, x.detach(), cond)},
        "no gradient",
    ),
    ("labels-change-the-output", E, {"forward": lambda s, x, cond=None: E.forward(s, x)}, "comes out the same"),
    ("null-condition-is-served", E, {"build": untold_null}, "null condition raises IndexError"),
    (
        "generated-samples-keep-their-range",
        G,
        {"forward": lambda s, z, cond=None: 1.2 * G.forward(s, z, cond)},
        "reaches",
    ),
    (
        "different-noise-different-samples",
        G,
        {"forward": lambda s, z, cond=None: G.forward(s, 0 * z, cond)},
        "same sample",
    ),
    (
        "generator-is-a-function-of-z",
        G,
        {"forward": lambda s, z, cond=None: G.forward(s, z + 0.1 * torch.randn_like(z), cond)},
        "the same z twice",
    ),
    ("verdicts-have-one-shape", D, {"forward": lambda s, x, cond=None: D.forward(s, x, cond)[:, None]}, "not (1,)"),
    ("verdicts-are-logits", D, {"forward": lambda s, x, cond=None: D.forward(s, x, cond).sigmoid()}, "one sign only"),
    ("verdicts-are-logits", D, {"forward": lambda s, x, cond=None: D.forward(s, x, cond).tanh()}, "squashed"),
    (
        "double-backward-works",
        D,
        {"forward": lambda s, x, cond=None: x.flatten(1).sum(1) + D.forward(s, x.detach(), cond)},
        "gradient",
    ),
    (
        "noise-level-is-scalar-or-batched",
        N,
        {"forward": lambda s, x, c, cond=None: N.forward(s, x, c[:, None][:, 0], cond)},
        "raised",
    ),
    (
        "noise-level-is-read-per-sample",
        N,
        {"forward": lambda s, x, c, cond=None: N.forward(s, x, c.mean(), cond)},
        "own level",
    ),
    (
        "noise-levels-end-finite",
        N,
        {"forward": lambda s, x, c, cond=None: N.forward(s, x, c.log(), cond)},
        "not finite",
    ),
    ("logits-ignore-their-own-and-later-values", A, {"forward": looks_at_itself}, "not before it"),
    (
        "logits-ignore-their-own-and-later-values",
        A,
        {"forward": lambda s, x, cond=None: A.forward(s, x.transpose(-1, -2), cond)},
        "not before it",
    ),
    ("binary-images-sum-to-one", A, {"forward": looks_at_itself}, "sum to"),
    ("cached-steps-equal-the-full-pass", A, {"step": forgets}, "against the full pass"),
    ("features-are-vectors", F, {"forward": lambda s, x: F.forward(s, x)[:, :, None]}, "have the shape"),
    ("features-are-deterministic", F, {"forward": lambda s, x: F.forward(s, x + torch.randn_like(x))}, "same samples"),
    ("features-tell-samples-apart", F, {"forward": lambda s, x: F.forward(s, 0 * x)}, "have the same features"),
    ("tokens-number-the-code-vectors", Q, {"values": 2}, "tokens run from 0 to 2; there are 2"),
    ("lookup-gives-what-was-chosen", Q, {"forward": chooses_from_another_table}, "lookup(tokens)"),
    ("gradients-pass-straight-through", Q, {"forward": rounds_for_good}, "zero for a whole sample"),
    ("quantizer-is-a-function-of-the-code", Q, {"forward": learns_in_evaluation}, "before and after"),
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
