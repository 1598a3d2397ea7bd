"""A check: one fact that components of some kinds must show, with a hint at the cure where they do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from gen_sdk.checks.subject import Subject

__all__ = ["PAGE", "TIERS", "Check", "Failure", "NotApplicable", "NotHere", "check", "expect"]

TIERS = ("bronze", "silver", "gold")
"""What a plugin may aim at; a tier holds the checks of those before it."""

PAGE = "docs/checks.md"
"""The page with an anchor for every check."""


class Failure(AssertionError):
    """The fact does not hold; the message says what was observed."""


class NotApplicable(Exception):
    """The check finds, while it runs, that it has nothing to look at; the message says why."""


class NotHere(Exception):
    """The check needs what this machine lacks; the message says what."""


@attrs.frozen
class Check:
    """One check. `run` returns where the fact holds and raises `Failure` with what was observed where it does not.

    `kinds` are the kinds it is meant for (empty: every kind); `applies` gives "" or why it does not apply.
    """

    id: str
    meaning: str
    hint: str
    tier: str
    kinds: tuple[str, ...]
    run: Callable[[Subject], None]
    applies: Callable[[Subject], str]

    @property
    def page(self) -> str:
        """Where the documentation explains it."""
        return f"{PAGE}#{self.id}"

    def absent(self, subject: Subject) -> str:
        """ "" where the check applies to the component, else the reason why not."""
        if self.kinds and subject.spec.kind not in self.kinds:
            return f"for {', '.join(self.kinds)}"
        return self.applies(subject)

    def within(self, tier: str) -> bool:
        """Whether it belongs to the tier or to one before it."""
        return TIERS.index(self.tier) <= TIERS.index(tier)


def always(subject: Subject) -> str:
    """Applies to every component of its kinds."""
    return ""


def check(
    *,
    tier: str,
    hint: str,
    kinds: tuple[str, ...] = (),
    applies: Callable[[Subject], str] = always,
    id: str | None = None,
) -> Callable[[Callable[[Subject], None]], Check]:
    """Makes a check of a function: its id is the function's name with dashes, its meaning the docstring's first line.

    Args:
        tier: bronze, silver or gold.
        hint: the cure, in one sentence.
        kinds: the kinds it is meant for; empty: every kind.
        applies: gives "" where it applies, else the reason why not.
        id: another id than the function's name.
    """
    assert tier in TIERS, f"a tier is one of {TIERS}"

    def make(function: Callable[[Subject], None]) -> Check:
        name = id or function.__name__.strip("_").replace("_", "-")
        meaning = (function.__doc__ or "").strip().partition("\n")[0]
        assert meaning, f"the docstring of {function.__name__} says what the check means"
        return Check(name, meaning, hint, tier, kinds, function, applies)

    return make


def expect(fact: bool, what: str) -> None:
    """Raises:
    Failure: the fact does not hold; `what` says what was observed.
    """
    if not fact:
        raise Failure(what)
