"""What a generator promises: samples in the range of the data, each from its own noise."""

from __future__ import annotations

import torch

from gen_sdk.checks.check import check, expect
from gen_sdk.checks.kinds.network import call, shown
from gen_sdk.checks.kinds.probing import expect_equal, seeded, shake
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS"]

KINDS = ("generator",)


def _bounded(subject: Subject) -> str:
    return "it declares itself unbounded" if subject.spec.traits.get("unbounded") else ""


@check(tier="bronze", kinds=KINDS, applies=_bounded, hint="end in tanh, or declare traits = {'unbounded': True}")
def generated_samples_keep_their_range(subject: Subject) -> None:
    """Whatever the noise and the weights, samples lie in [-1, 1]."""
    network = shake(subject.make(), 1.0).eval()
    for scale in (0.0, 1.0, 10.0):
        out = call(network, shown(network, 4, scale))
        worst = out.abs().max().item()
        expect(worst <= 1 + 1e-5, f"a sample reaches {worst:.3g}: the data end at 1")


@check(tier="bronze", kinds=KINDS, hint="let z enter the network, row by row")
def different_noise_different_samples(subject: Subject) -> None:
    """Every z of a batch gives a sample of its own, also as z after z."""
    network = shake(subject.make()).eval()
    out = call(network, shown(network, 6)).flatten(1)
    gaps = torch.pdist(out)
    expect(bool((gaps > 0).all()), "two different z give one and the same sample")
    near = call(network, shown(network, 6, seed=1)).flatten(1)
    expect(bool(((out - near).abs().sum(1) > 0).all()), "a batch of other z gives the same samples")


@check(tier="silver", kinds=KINDS, hint="noise that a generator adds itself belongs to training, or to declared traits")
def generator_is_a_function_of_z(subject: Subject) -> None:
    """In evaluation the same z gives the same sample, whatever the global generator says; unless stochastic."""
    network = shake(subject.make()).eval()
    z = shown(network, 3)
    if subject.spec.traits.get("stochastic"):
        with seeded(1):
            first = call(network, z)
        with seeded(1):
            again = call(network, z)
    else:
        first, again = call(network, z), call(network, z)
    expect_equal(again, first, "the same z twice")


CHECKS = (generated_samples_keep_their_range, different_noise_different_samples, generator_is_a_function_of_z)
