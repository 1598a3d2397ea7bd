"""Families: sound toys pass, and each check catches the fault planted for it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from gen.component import component, option, slot
from gen.errors import ShapeError
from gen.interfaces import AdversarialLoss, Decoder, Discriminator, Encoder, Generator, Likelihood, Model, Phase
from gen.types import Losses, Shapes
from gen_sdk.checks.analytic import Analytic
from gen_sdk.checks.kinds import capabilities, coding, model
from gen_sdk.checks.toys import ToyPosterior, ToyPrior

BY_ID = {check.id: check for module in (model, capabilities, coding) for check in module.CHECKS}


@component
class Bound(Model):
    """A small variational autoencoder of black and white images."""

    phase_names = ("model",)
    log_prob_kind = "lower bound"
    encoder: Encoder = slot(doc="x to q(z|x)")
    decoder: Decoder = slot(doc="z to p(x|z)")
    likelihood: Likelihood = slot(default="vae/bernoulli", doc="p(x|z)")
    latent: int = option(3, min=1, doc="size of z")
    conditional: bool = option(False, doc="tell the labels")

    @classmethod
    def wire(cls, data, latent, conditional, **_):
        cond = data.cond if conditional else None
        return {
            "encoder": Shapes(data.shape, (2 * latent,), cond),
            "decoder": Shapes((latent,), data.shape, cond),
        }

    def build(self):
        self.posterior, self.prior = ToyPosterior(), ToyPrior(shape=(self.latent,))

    def phases(self):
        return [Phase("model", train=[self.encoder, self.decoder], loss=self.loss)]

    def told(self, cond):
        return cond if self.conditional else None

    def terms(self, x, cond):
        params = self.encoder(x, self.told(cond))
        z = self.posterior.rsample(params)
        rate = self.posterior.log_prob(params, z) - self.prior.log_prob(z)
        return -self.likelihood.log_prob(self.decoder(z, self.told(cond)), x), rate

    def loss(self, batch, progress):
        distortion, rate = (term.mean() for term in self.terms(batch.x, batch.cond))
        return Losses(distortion + rate, {"distortion": distortion, "rate": rate})

    def encode(self, x, cond=None):
        return self.posterior.mean(self.encoder(x, self.told(cond)))

    def decode(self, z, cond=None):
        return self.likelihood.mean(self.decoder(z, self.told(cond)))

    def generate(self, z, cond=None):
        return self.decode(z, cond)

    def reconstruct(self, x, cond=None):
        return self.decode(self.encode(x, cond), cond)

    def weights(self, x, cond, draws):
        return torch.stack([-sum(self.terms(x, cond)) for _ in range(draws)])

    def log_prob(self, x, cond=None, draws=1):
        return self.weights(x, cond, draws).logsumexp(0) - math.log(draws)


@component
class Game(Model):
    """Two players."""

    phase_names = ("discriminator", "generator")
    generator: Generator = slot(doc="z to x")
    discriminator: Discriminator = slot(doc="x to logits")
    game: AdversarialLoss = slot(default="losses/non-saturating", doc="of both")
    latent: int = option(4, min=1, doc="size of z")

    @classmethod
    def wire(cls, data, latent, **_):
        return {"generator": Shapes((latent,), data.shape), "discriminator": Shapes(data.shape, ())}

    def build(self):
        self.register_buffer("seen", torch.zeros(()))

    def phases(self):
        return [
            Phase("discriminator", train=[self.discriminator], loss=self.first),
            Phase("generator", train=[self.generator], loss=self.second),
        ]

    def fakes(self, batch):
        return self.generator(torch.randn(len(batch.x), self.latent))

    def first(self, batch, progress):
        fake = self.fakes(batch).detach()
        return Losses(self.game.discriminator(self.discriminator(batch.x), self.discriminator(fake)), {})

    def second(self, batch, progress):
        return Losses(self.game.generator(self.discriminator(self.fakes(batch))), {})

    def generate(self, z, cond=None):
        return self.generator(z)


@component
class Coder(Model):
    """Black and white pixels, each with a chance of its own: no pixel says anything of another."""

    phase_names = ("model",)

    def build(self):
        if self.data.domain.levels != 2:
            raise ShapeError("this toy codes black and white")
        self.logits = nn.Parameter(torch.linspace(-1, 1, math.prod(self.data.shape)))

    def phases(self):
        return [Phase("model", train=[self], loss=lambda batch, progress: Losses(-self.log_prob(batch.x).mean(), {}))]

    def chances(self):
        white = self.logits.detach().double().sigmoid()
        return torch.stack([1 - white, white], 1)  # [N, 2]

    def log_prob(self, x, cond=None):
        return -nn.functional.softplus(-self.logits * x.flatten(1)).sum(1)

    def symbols(self, x):
        return (x > 0).flatten(1).long()

    def code(self, n, choose, cond=None):
        chosen = [choose(row.expand(n, 2)) for row in self.chances()]
        return torch.stack(chosen, 1).view(n, *self.data.shape) * 2.0 - 1


def applying(verdict, sound):
    return [verdict(check, sound) for check in BY_ID.values()]


@pytest.mark.parametrize(("sound", "least"), [(Bound, 12), (Game, 7), (Coder, 8)])
def test_a_sound_family_passes_every_check(verdict, sound, least):
    results = applying(verdict, sound)

    assert [(r.check, r.said) for r in results if r.outcome == "failed"] == []
    assert sum(r.outcome == "passed" for r in results) >= least


def test_the_analytic_model_passes_the_checks_of_its_capabilities(verdict):
    skipped = {"conditional-models-use-labels", "codes-can-be-decoded"}  # it has no loss, and no labels in its codes
    results = [verdict(c, Analytic) for c in capabilities.CHECKS if c.id not in skipped]

    assert [(r.check, r.said) for r in results if r.outcome == "failed"] == []
    assert sum(r.outcome == "passed" for r in results) >= 6


def generator_in_the_wrong_phase(self):
    first, second = Game.phases(self)
    return [Phase("discriminator", train=[self.discriminator, self.generator], loss=first.loss), second]


def undetached(self, batch, progress):
    logits = self.discriminator(self.fakes(batch))
    return Losses(self.game.discriminator(self.discriminator(batch.x), logits), {})


def trains_the_others_part(self, batch, progress):
    with torch.no_grad():
        next(self.generator.parameters()).add_(0.01)
    return Game.first(self, batch, progress)


def one_phase_only(self):
    return Game.phases(self)[:1]


def climbs(self, batch, progress):
    losses = Bound.loss(self, batch, progress)
    return Losses(losses.total.detach() * 2 - losses.total, losses.terms)


def counts_in_an_attribute(self, batch, progress):
    self.count = getattr(self, "count", 0) + 1
    losses = Bound.loss(self, batch, progress)
    return Losses(losses.total * (1 + 0.1 * self.count), losses.terms)


def flips(self, x, mask, cond=None, rng=None):
    return Analytic.complete(self, x, mask, cond, rng) * 0.999


def peeks(self, x, mask, cond=None, rng=None):
    filled = Analytic.complete(self, x, mask, cond, rng)
    return torch.where(mask.bool(), x, filled + 0.1 * x)


def divides_by_sigma(self, x_noisy, t, cond=None):
    clean = Analytic.denoise(self, x_noisy, t, cond)
    time = torch.as_tensor(t, dtype=x_noisy.dtype).expand(len(x_noisy)).view(-1, 1, 1, 1)
    sigma = self.schedule.sigma(time)
    return x_noisy / self.schedule.alpha(time) - sigma * (x_noisy - clean) / sigma


def one_time_for_all(self, x_noisy, t, cond=None):
    return Analytic.denoise(self, x_noisy, torch.as_tensor(t, dtype=x_noisy.dtype).mean(), cond)


class Opposed(Game):
    """The discriminator's phase trains the generator against the generator's own."""

    def phases(self):
        second = Game.phases(self)[1]
        return [Phase("discriminator", train=[self.discriminator, self.generator], loss=self.first), second]

    first = undetached


def recounts(self, n, choose, cond=None):
    """Chances that drift from one walk to the next."""
    self.walks = getattr(self, "walks", 0) + 1
    return Coder.code(self, n, lambda chances: choose(torch.lerp(chances, chances.flip(1), 1e-9 * self.walks)))


G, B, A, C = Game, Bound, Analytic, Coder
FAULTS = [
    ("phases-are-as-declared", G, {"phases": one_phase_only}, "phases() gives"),
    ("phases-are-as-declared", G, {"phases": one_phase_only, "phase_names": ("discriminator",)}, "no phase trains"),
    (
        "losses-are-finite-scalars",
        B,
        {"loss": lambda s, b, p: Losses(sum(B.terms(s, b.x, b.cond)), {})},
        "the loss of model",
    ),
    ("losses-are-finite-scalars", B, {"loss": lambda s, b, p: Losses(B.loss(s, b, p).total / 0, {})}, "is inf"),
    ("phases-train-exactly-their-parts", G, {"phases": generator_in_the_wrong_phase}, "gives no gradient"),
    ("phases-train-exactly-their-parts", G, {"first": trains_the_others_part}, "computes its loss"),
    (
        "phases-train-exactly-their-parts",
        G,
        {"after_step": lambda s, phase, progress: next(s.generator.parameters()).data.mul_(0.9)},
        "which it does not train",
    ),
    ("phases-do-not-fight-over-a-part", Opposed, {}, "whose part is it"),
    ("phases-lower-their-own-loss", B, {"loss": climbs}, "take its loss from"),
    ("training-resumes-exactly", B, {"loss": counts_in_an_attribute}, "after a resume"),
    (
        "codes-are-functions-of-samples",
        B,
        {"encode": lambda s, x, c=None: s.posterior.rsample(s.encoder(x))},
        "same samples",
    ),
    ("codes-can-be-decoded", B, {"decode": lambda s, z, c=None: B.decode(s, z).flatten(1)}, "has the shape"),
    ("codes-can-be-decoded", B, {"reconstruct": lambda s, x, c=None: x}, "reconstruct(x) against"),
    ("codes-generate-samples", B, {"generate": lambda s, z, c=None: B.decode(s, 0 * z)}, "the same samples"),
    ("log-prob-is-of-its-kind", B, {"log_prob": lambda s, x, c=None: B.log_prob(s, x).mean()}, "not (6,)"),
    ("log-prob-is-of-its-kind", B, {"log_prob_kind": "exact"}, "another global seed"),
    (
        "probabilities-of-all-images-sum-to-one",
        B,
        {"log_prob": lambda s, x, c=None: -B.terms(s, x, c)[0]},
        "no bound is above the truth",
    ),
    (
        "more-draws-tighten-the-bound",
        B,
        {"log_prob": lambda s, x, c=None, draws=1: B.weights(s, x, c, draws).min(0).values},
        "64 draws bound",
    ),
    ("denoising-ends-finite", A, {"denoise": divides_by_sigma}, "not finite at t = 0"),
    ("denoising-ends-finite", A, {"denoise": one_time_for_all}, "with a t of their own"),
    ("completions-keep-known-pixels", A, {"complete": flips}, "known pixels"),
    ("completions-keep-known-pixels", A, {"complete": peeks}, "other hidden pixels"),
    ("translations-reach-their-domain", A, {"translate": lambda s, x, to: x}, "is its source"),
    (
        "forecasts-have-their-length",
        A,
        {"forecast": lambda s, x, steps: A.forecast(s, x, steps)[..., :2]},
        "3 steps come as",
    ),
    ("coding-walks-under-log-prob", C, {"symbols": lambda s, x: C.symbols(s, x).double()}, "not [6, N]"),
    ("coding-walks-under-log-prob", C, {"symbols": lambda s, x: C.symbols(s, x)[:, 1:]}, "code asks for more than"),
    ("coding-walks-under-log-prob", C, {"symbols": lambda s, x: C.symbols(s, x).flip(1)}, "decoded from their symbols"),
    ("coding-walks-under-log-prob", C, {"chances": lambda s: C.chances(s) * 0.9}, "the sum of the chances"),
    ("coding-walks-under-log-prob", C, {"chances": lambda s: C.chances(s).flip(0)}, "the product of the chances"),
    ("coding-walks-under-log-prob", C, {"code": recounts}, "at a second walk"),
    ("conditional-models-use-labels", B, {"told": lambda s, cond: None}, "change nothing"),
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
