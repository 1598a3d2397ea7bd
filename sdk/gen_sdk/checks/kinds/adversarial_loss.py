"""What an adversarial loss promises: the discriminator's side rewards telling apart, the generator's side fooling.

For densities p and q of real and generated samples the best logit at a point minimises w * (loss at a real sample) +
(1 - w) * (loss at a generated one), w = p / (p + q) (Goodfellow et al. 2014, proposition 1): it rises with w.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from gen_sdk.checks.check import check, expect
from gen_sdk.checks.kinds.probing import expect_close, expect_shape, normal
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS"]

KINDS = ("adversarial-loss",)
GRID = torch.linspace(-4, 4, 321, dtype=torch.float64)


def _slopes(loss: Tensor, logits: tuple[Tensor, ...]) -> list[Tensor]:
    """Gradients at the logits; zeros where one has no part in the loss."""
    if not loss.requires_grad:
        return [torch.zeros_like(t) for t in logits]
    grads = torch.autograd.grad(loss, logits, allow_unused=True)
    return [torch.zeros_like(t) if g is None else g for g, t in zip(grads, logits, strict=True)]


def _logits(seed: int = 0, *shape: int) -> tuple[Tensor, Tensor]:
    """Logits on real and generated samples between all usual targets, 0.2 to 0.8: there either side has to pay."""
    shape = shape or (6,)
    return tuple(  # type: ignore[return-value]
        (0.5 + 0.3 * normal(*shape, seed=seed + i, dtype=torch.float64).tanh()).requires_grad_() for i in (0, 1)
    )


@check(tier="bronze", kinds=KINDS, hint="return the mean over the batch (and patches) as a scalar")
def adversarial_losses_are_batch_means(subject: Subject) -> None:
    """Both sides are finite scalars, for logits [B] and patches [B, 1, h, w], and the same for a batch taken twice."""
    loss = subject.make()
    for shape in ((6,), (3, 1, 2, 2)):
        real, fake = _logits(0, *shape)
        more = torch.cat([real, real]), torch.cat([fake, fake])
        sides = {
            "discriminator": (loss.discriminator(real, fake), loss.discriminator(*more)),
            "generator": (loss.generator(fake, real), loss.generator(*more[::-1])),
        }
        for side, (value, twice) in sides.items():
            expect_shape(value, (), f"the {side}'s loss")
            expect_close(twice, value, 1e-9, f"the {side}'s loss of a batch taken twice against once")


@check(tier="bronze", kinds=KINDS, hint="real logits up and fake logits down must lower the discriminator's loss")
def discriminator_learns_to_tell_apart(subject: Subject) -> None:
    """The discriminator's loss falls as real logits rise and as fake logits fall, for every sample of the batch."""
    loss = subject.make()
    logits = _logits()
    at_real, at_fake = _slopes(loss.discriminator(*logits), logits)
    expect(bool((at_real < 0).all()), "a real sample's logit does not pay: its gradient is not below 0")
    expect(bool((at_fake > 0).all()), "a fake sample's logit does not cost: its gradient is not above 0")


@check(tier="bronze", kinds=KINDS, hint="the generator minimises: its loss falls where fakes pass as real")
def generator_learns_to_fool(subject: Subject) -> None:
    """The generator's loss falls as fake logits rise, for every sample of the batch; detached ones give nothing."""
    loss = subject.make()
    real, fake = _logits()
    _, at_fake = _slopes(loss.generator(fake, real), (real, fake))
    expect(bool((at_fake < 0).all()), "a fake sample's logit does not pay: its gradient is not below 0")
    value = loss.generator(fake.detach(), real.detach())
    expect(not value.requires_grad, "the generator's loss has a gradient although nothing it was handed has one")


@check(
    tier="silver", kinds=KINDS, hint="set paired = True where the generator's side looks at real logits, and only there"
)
def only_paired_losses_need_real_logits(subject: Subject) -> None:
    """A loss that is not declared paired does without real logits, and they change nothing; a paired one uses them."""
    loss = subject.make()
    real, fake = (t.detach() for t in _logits())
    told = loss.generator(fake, real)
    if loss.paired:
        expect(not torch.equal(loss.generator(fake, real + 0.2), told), "it is declared paired and ignores real logits")
        return
    expect_close(loss.generator(fake), told, 0.0, "the generator's loss without real logits against with them")


@check(tier="silver", kinds=KINDS, hint="weigh both halves alike, and keep targets on the right side")
def best_logit_rises_with_the_odds(subject: Subject) -> None:
    """The logit that is best where real samples are a share w of all rises with w."""
    loss = subject.make()
    base = GRID.new_zeros(1)
    real = torch.stack([loss.discriminator(d[None], base) for d in GRID])  # loss of a real logit d, fakes at 0
    fake = torch.stack([loss.discriminator(base, d[None]) for d in GRID])
    best = []
    for w in (0.1, 0.3, 0.5, 0.7, 0.9):
        total = w * real + (1 - w) * fake
        near = GRID[total <= total.min() + 1e-9]  # where many are as good, the one in the middle
        best.append(((near.min() + near.max()) / 2).item())
    rises = all(b >= a - 1e-6 for a, b in pairwise(best))
    expect(rises, f"best logits where real samples are 10, 30, 50, 70, 90 % of all: {[f'{b:.2f}' for b in best]}")
    expect(best[-1] > best[0] + 0.1, f"the best logit does not depend on the odds: {best[0]:.2f} to {best[-1]:.2f}")


@check(tier="silver", kinds=KINDS, hint="use softplus and logsigmoid of logits, never log(sigmoid(...))")
def extreme_logits_stay_finite(subject: Subject) -> None:
    """Logits of ±100 in float32 give finite losses and gradients on both sides."""
    loss = subject.make()
    for r, f in ((100.0, -100.0), (-100.0, 100.0), (100.0, 100.0)):
        real, fake = (torch.full((4,), v, requires_grad=True) for v in (r, f))
        for side, value in {
            "discriminator": loss.discriminator(real, fake),
            "generator": loss.generator(fake, real),
        }.items():
            finite = bool(value.isfinite()) and all(bool(s.isfinite().all()) for s in _slopes(value, (real, fake)))
            expect(finite, f"the {side}'s loss or gradient is not finite for logits of {r:g} and {f:g}")


@check(tier="silver", kinds=KINDS, hint="pair or average samples of a batch in a way that no order decides")
def order_of_the_batch_is_irrelevant(subject: Subject) -> None:
    """Both sides are the same for the batch in another order (real and fake samples moved together)."""
    loss = subject.make()
    real, fake = (t.detach() for t in _logits(3))
    order = torch.tensor([4, 2, 0, 5, 1, 3])
    for side, call in {"discriminator": loss.discriminator, "generator": lambda r, f: loss.generator(f, r)}.items():
        expect_close(call(real[order], fake[order]), call(real, fake), 1e-9, f"the {side}'s loss in another order")


CHECKS = (
    adversarial_losses_are_batch_means,
    discriminator_learns_to_tell_apart,
    generator_learns_to_fool,
    only_paired_losses_need_real_logits,
    best_logit_rises_with_the_odds,
    extreme_logits_stay_finite,
    order_of_the_batch_is_irrelevant,
)
