"""What an extractor promises: features [B, D] that are the same on every day and differ between samples."""

from __future__ import annotations

import torch

from gen_sdk.checks.check import check, expect
from gen_sdk.checks.kinds.probing import expect_equal, normal, seeded
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS"]

KINDS = ("extractor",)


@check(tier="bronze", kinds=KINDS, hint="flatten what is left of the sides: features are vectors")
def features_are_vectors(subject: Subject) -> None:
    """Features are [B, D], floating point and finite, for batches of 1 and 3."""
    extractor = subject.make().eval()
    sizes = set()
    for batch in (1, 3):
        out = extractor(normal(batch, *extractor.in_shape).clamp(-1, 1))
        expect(out.ndim == 2 and len(out) == batch, f"features of {batch} samples have the shape {tuple(out.shape)}")
        expect(out.is_floating_point() and bool(out.isfinite().all()), f"features are {out.dtype} or not finite")
        sizes.add(out.shape[1])
    expect(len(sizes) == 1, f"features have {sizes} numbers, depending on the batch")


@check(tier="bronze", kinds=KINDS, hint="no dropout, noise or batch statistics in evaluation")
def features_are_deterministic(subject: Subject) -> None:
    """In evaluation the same samples give the same features, whatever the global generator says."""
    extractor = subject.make().eval()
    x = normal(3, *extractor.in_shape).clamp(-1, 1)
    with seeded(1):
        first = extractor(x)
    with seeded(2):
        again = extractor(x)
    expect_equal(again, first, "the features of the same samples")


@check(tier="bronze", kinds=KINDS, hint="let the sample reach the features: look for dead or saturated layers")
def features_tell_samples_apart(subject: Subject) -> None:
    """Different samples have different features."""
    extractor = subject.make().eval()
    out = extractor(normal(6, *extractor.in_shape).clamp(-1, 1)).detach().flatten(1)
    expect(bool((torch.pdist(out) > 0).all()), "two different samples have the same features")


CHECKS = (features_are_vectors, features_are_deterministic, features_tell_samples_apart)
