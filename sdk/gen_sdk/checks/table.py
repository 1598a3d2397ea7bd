"""Every check, in the order in which they run, and how many of them a component of a kind must run at least."""

from __future__ import annotations

import importlib
import pkgutil

from gen.activate import LOCAL
from gen.spec import ComponentSpec
from gen_sdk.checks import generic, kinds
from gen_sdk.checks.check import TIERS, Check

__all__ = ["CHECKS", "MINIMUM", "minimum"]


def _gather() -> tuple[Check, ...]:
    """The checks of every module of `generic`, then of `kinds`, as their `CHECKS` list them."""
    found: list[Check] = []
    for package in (generic, kinds):
        for module in sorted(module.name for module in pkgutil.iter_modules(package.__path__)):
            found += getattr(importlib.import_module(f"{package.__name__}.{module}"), "CHECKS", ())
    ids = [check.id for check in found]
    assert len(ids) == len(set(ids)), f"an id belongs to one check: {sorted({id for id in ids if ids.count(id) > 1})}"
    return tuple(found)


CHECKS = _gather()

MINIMUM: dict[str, tuple[int, int, int]] = {
    "adversarial-loss": (12, 16, 16),
    "autoregressor": (18, 24, 24),
    "corruption": (12, 13, 13),
    "dataset": (8, 9, 9),
    "decoder": (18, 24, 24),
    "denoiser": (18, 24, 24),
    "discriminator": (19, 24, 24),
    "distance": (11, 13, 13),
    "encoder": (18, 24, 24),
    "extractor": (17, 21, 21),
    "generator": (18, 24, 24),
    "likelihood": (16, 23, 23),
    "lr-schedule": (8, 8, 8),
    "metric": (8, 8, 8),
    "model": (17, 24, 25),
    "noise-schedule": (11, 13, 13),
    "optimizer": (8, 9, 9),
    "posterior": (16, 24, 24),
    "prior": (16, 21, 21),
    "quantizer": (16, 21, 21),
    "regularizer": (8, 9, 9),
    "sampler": (8, 10, 10),
    "tracker": (7, 7, 7),
    "transform": (12, 14, 14),
    "weighting": (10, 12, 12),
}
"""Checks that a component of a kind runs at least, by tier: a little less than our plainest components run."""

PLAIN = (6, 6, 6)
"""The least for a kind that is not in `MINIMUM`: an interface of a plugin's own."""


OF_PACKAGES = 3
"""Checks that look at a package, which a plugin of one file does not have."""


def minimum(spec: ComponentSpec, tier: str) -> int:
    """How many checks a component runs at least: so many for its kind, fewer in a plugin of one file."""
    return MINIMUM.get(spec.kind, PLAIN)[TIERS.index(tier)] - OF_PACKAGES * (spec.namespace == LOCAL)
