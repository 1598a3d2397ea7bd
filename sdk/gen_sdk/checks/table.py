"""Every check, in the order in which they run, and how many of them a component of a kind must run at least."""

from __future__ import annotations

import importlib
import pkgutil

from gen_sdk.checks import generic, kinds
from gen_sdk.checks.check import Check

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

MINIMUM: dict[str, tuple[int, int, int]] = {}
"""Checks that a component of a kind runs at least, at bronze, silver and gold."""

PLAIN = (5, 5, 5)
"""The least for a kind that is not in `MINIMUM`, an interface of a plugin's own."""


def minimum(kind: str, tier: str) -> int:
    """How many checks a component of this kind runs at least."""
    from gen_sdk.checks.check import TIERS

    return MINIMUM.get(kind, PLAIN)[TIERS.index(tier)]
