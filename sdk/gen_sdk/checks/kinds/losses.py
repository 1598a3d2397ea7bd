"""What distances, weightings and regularizers promise."""

from __future__ import annotations

from typing import Any

import attrs
import torch
from torch import Tensor, nn

from gen.interfaces import Regularizer
from gen.types import Progress
from gen_sdk.checks.check import NotApplicable, check, expect
from gen_sdk.checks.kinds.probing import expect_close, expect_equal, expect_shape, normal, seeded, shake
from gen_sdk.checks.subject import Subject
from gen_sdk.checks.toys import Dense

__all__ = ["CHECKS"]

DISTANCE = ("distance",)
SHAPE = (2, 12, 12)


def _pair(batch: int = 3) -> tuple[Tensor, Tensor]:
    """Two batches of smooth images in [-0.9, 0.9]: as a window of structure sees something in them."""
    grid = torch.linspace(0, 3, SHAPE[1])
    waves = torch.sin(grid[:, None] + grid[None, :] * torch.arange(1, 1 + batch * SHAPE[0]).view(-1, 1, 1))
    x = 0.6 * waves.view(batch, *SHAPE) + 0.1 * normal(batch, *SHAPE)
    return x.clamp(-0.9, 0.9), (0.7 * x + 0.1 * normal(batch, *SHAPE, seed=1)).clamp(-0.9, 0.9)


def _shows(distance: Any, x: Tensor) -> Tensor:
    """The y whose `mean` is x, by bisection: x itself, or the logits that stand for it."""
    low, high = torch.full_like(x, -20.0), torch.full_like(x, 20.0)
    for _ in range(60):
        middle = 0.5 * (low + high)
        above = distance.mean(middle) > x
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
    return 0.5 * (low + high)


@check(tier="bronze", kinds=DISTANCE, hint="flatten(1) and sum(1): one figure per sample, no mean over the batch")
def distances_are_per_sample(subject: Subject) -> None:
    """A distance is one finite number per sample, [B], the same alone as in a batch."""
    distance = subject.make()
    x, y = _pair()
    found = distance(y, x)
    expect_shape(found, (3,), "the distance of a batch of 3")
    expect(bool(found.isfinite().all()), "a distance is not finite")
    alone = torch.cat([distance(y[i : i + 1], x[i : i + 1]) for i in range(3)])
    expect_close(found, alone, 1e-5, "distances of a batch against distances one by one")


@check(tier="bronze", kinds=DISTANCE, hint="a distance is least where y shows x; state `mean` where y are logits")
def distance_is_least_at_the_data(subject: Subject) -> None:
    """Among y near and far, the least distance has the y with mean(y) = x; and the gradient pulls y towards it."""
    distance = subject.make()
    x, _ = _pair()
    best = _shows(distance, x)
    expect_close(distance.mean(best), x, 1e-3, "the y that should show x, through mean(y)")
    least = distance(best, x)
    slack = 1e-4 * least.abs() + 1e-3
    others = {f"misses x by {size:g}": best + size * normal(*x.shape) for size in (0.05, 0.5, 2.0)}
    others |= {f"shows x times {factor:g}": best * factor for factor in (0.9, 1.1)}
    others |= {f"shows x plus {shift:g}": best + shift for shift in (-0.1, 0.1)}
    for what, other in others.items():
        found = distance(other, x)
        expect(bool((found >= least - slack).all()), f"a y that {what} is nearer than the y that shows x")
        expect(bool((found > least).all()), f"a y that {what} is no farther than the y that shows x")
    y = (best + 0.3 * normal(*x.shape, seed=4)).requires_grad_()
    (grad,) = torch.autograd.grad(distance(y, x).sum(), y)
    expect(bool(grad.isfinite().all()), "the gradient at y is not finite")
    pull = (grad * (y.detach() - best)).flatten(1).sum(1)
    expect(bool((pull > 0).all()), "the gradient at y does not lead back to x")


@check(tier="silver", kinds=DISTANCE, hint="sum over the dimensions of a sample: losses are added in one unit")
def distances_add_over_dimensions(subject: Subject) -> None:
    """A sample that holds everything twice is twice as far: distances are sums, not means."""
    distance = subject.make()
    x, y = _pair()
    once, twice = distance(y, x), distance(torch.cat([y, y], 1), torch.cat([x, x], 1))
    expect_close(twice, 2 * once, 1e-4, "the distance of samples with every channel twice against twice the distance")


@check(tier="bronze", kinds=("weighting",), hint="a weight is positive and finite at every noise level, [B] for [B]")
def weights_are_positive(subject: Subject) -> None:
    """Noise-to-signal ratios from 1e-4 to 1e4 get finite weights above 0, each by itself."""
    weighting = subject.make()
    nsr = torch.logspace(-4, 4, 33)
    weight = weighting(nsr)
    expect_shape(weight, (33,), "the weights of 33 levels")
    expect(bool(weight.isfinite().all()), "a weight is not finite")
    expect(bool((weight > 0).all()), f"a weight is {weight.min().item():.3g}, not above 0")
    alone = torch.cat([weighting(level[None]) for level in nsr])
    expect_close(weight, alone, 1e-5, "weights of a batch against weights one by one")


class Judge(nn.Module):
    """Something to penalise: a network of several outputs, which an encoder's regularizer takes as a code."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Dense(6, (5,), None)

    def features(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.net.enter(x.flatten(1)).tanh()  # type: ignore[no-any-return]

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return self.net(x.flatten(1))  # type: ignore[no-any-return]


@attrs.frozen
class Shown:
    """A batch in which both sorts of regularizers find what they look for: `Batch` and `Contest` in one."""

    x: Tensor
    real: Tensor
    fake: Tensor
    real_logits: Tensor
    fake_logits: Tensor
    cond: Tensor | None = None


def _penalised(subject: Subject, train: bool = True) -> tuple[nn.Module, dict[str, Tensor]]:
    """A toy network and the terms at step 0, where lazy penalties are due."""
    regularizer, progress = subject.make(), Progress(0, 10)
    with seeded(3):
        network: nn.Module = shake(Judge())
        real, fake = normal(4, 1, 2, 3).requires_grad_(), normal(4, 1, 2, 3, seed=1).requires_grad_()
        kept = real.detach().clone()
        batch = Shown(real.detach(), real, fake, network(real).sum(1), network(fake).sum(1))
        with torch.set_grad_enabled(train):
            terms = regularizer(network, batch, progress)
    expect_equal(real.detach(), kept, "the batch handed to the regularizer")
    ran = [p for p in (*network.parameters(), real, fake) if p.grad is not None]
    expect(not ran, "the regularizer ran backward itself: it must only return its terms")
    return network, terms


def _constrains(subject: Subject) -> bool:
    return subject.cls.constrain is not Regularizer.constrain  # type: ignore[attr-defined]


@check(tier="bronze", kinds=("regularizer",), hint='serves = ("encoder",), or several of them')
def penalties_name_the_networks_they_serve(subject: Subject) -> None:
    """`serves` names one or more of: encoder, discriminator, generator."""
    serves, known = subject.cls.serves, Regularizer.serves  # type: ignore[attr-defined]
    expect(isinstance(serves, tuple) and bool(serves), f"serves is {serves!r}, no tuple of names")
    expect(set(serves) <= set(known), f"serves is {serves!r}, and there are {', '.join(known)}")


@check(tier="bronze", kinds=("regularizer",), hint="return {name: scalar}: means over the batch, times the weight")
def penalties_are_named_scalars(subject: Subject) -> None:
    """The terms are finite scalars with names, while training and where gradients are off, where none carries one."""
    for train in (True, False):
        _, terms = _penalised(subject, train)
        expect(isinstance(terms, dict), f"the result is a {type(terms).__name__}, no mapping of names to scalars")
        expect(bool(terms) or _constrains(subject), "there is neither a term nor a constraint")
        for name, term in terms.items():
            expect_shape(term, (), f"the term {name}")
            expect(bool(term.isfinite()), f"the term {name} is {term.item()}")
            expect(train or not term.requires_grad, f"the term {name} carries a graph although gradients are off")


@check(
    tier="bronze", kinds=("regularizer",), hint="compute the penalty from the network's output, with create_graph=True"
)
def penalties_reach_the_network(subject: Subject) -> None:
    """The gradient of the terms reaches the network, finite and not zero."""
    network, terms = _penalised(subject)
    if not terms:
        raise NotApplicable("it has no terms, only a constraint")
    total = torch.stack(list(terms.values())).sum()
    expect(total.requires_grad, "the penalty carries no gradient to the network")
    total.backward()
    grads = [p.grad for p in network.parameters() if p.grad is not None]
    expect(all(bool(g.isfinite().all()) for g in grads), "a gradient of the penalty is not finite")
    expect(any(bool((g != 0).any()) for g in grads), "every gradient of the penalty is zero")


@check(tier="silver", kinds=("regularizer",), hint="names are the same at every step; a penalty that is not due is 0")
def lazy_penalties_keep_their_names(subject: Subject) -> None:
    """At every step the terms have the same names, 0 where nothing is due; a constraint taken twice is taken once."""
    regularizer = subject.make()
    network, terms = _penalised(subject)
    x = normal(4, 1, 2, 3).requires_grad_()
    logits = network(x).sum(1)
    for step in range(1, 5):
        progress = Progress(step, 10, step)
        found = regularizer(network, Shown(x.detach(), x, x, logits, logits), progress)
        expect(found.keys() == terms.keys(), f"the terms are {list(terms)} at step 0 and {list(found)} at step {step}")
        if not regularizer.due(progress):
            expect(all(float(t) == 0 for t in found.values()), f"step {step} is not due, yet a term is not 0")
    regularizer.constrain(network)
    once = [p.detach().clone() for p in network.parameters()]
    regularizer.constrain(network)
    for parameter, before in zip(network.parameters(), once, strict=True):
        expect_equal(parameter.detach(), before, "a weight constrained twice against once")


CHECKS = (
    distances_are_per_sample,
    distance_is_least_at_the_data,
    distances_add_over_dimensions,
    weights_are_positive,
    penalties_name_the_networks_they_serve,
    penalties_are_named_scalars,
    penalties_reach_the_network,
    lazy_penalties_keep_their_names,
)
