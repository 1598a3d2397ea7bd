"""Collects everything wrong with a recipe, so that one pass reports it all, in the order of the files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import attrs

from gen.errors import Place, Problem, RecipeError

__all__ = ["MOST_PROBLEMS", "Problems"]

MOST_PROBLEMS = 100
"""Reading stops here: a hostile recipe must not cost more."""


@attrs.define
class Problems:
    """The problems so far; `sources` are the files in reading order (the recipe, its bases, then arguments)."""

    sources: list[str] = attrs.field(factory=list)
    found: list[Problem] = attrs.field(factory=list)

    def source(self, name: str) -> str:
        """Registers a file or argument; its problems are shown after those of earlier ones."""
        if name not in self.sources:
            self.sources.append(name)
        return name

    def add(
        self, code: str, message: str, place: Place | None = None, remedy: str = "", notes: Sequence[str] = ()
    ) -> None:
        """Adds a problem."""
        self.found.append(Problem(code, message, place, remedy, tuple(note for note in notes if note)))
        if len(self.found) >= MOST_PROBLEMS:
            raise self.error()

    def fail(
        self, code: str, message: str, place: Place | None = None, remedy: str = "", notes: Sequence[str] = ()
    ) -> NoReturn:
        """Adds a problem after which nothing more can be read."""
        self.add(code, message, place, remedy, notes)
        raise self.error()

    def forget_repeats(self, since: int) -> None:
        """Of the problems after the first `since`, those that only repeat one (a value that several phases inherit)."""
        told = {(problem.code, problem.place) for problem in self.found[:since]}
        self.found[since:] = [problem for problem in self.found[since:] if (problem.code, problem.place) not in told]

    def error(self) -> RecipeError:
        return RecipeError(sorted(self.found, key=self._order))

    def raise_any(self) -> None:
        if self.found:
            raise self.error()

    def _order(self, problem: Problem) -> tuple[int, int, int]:
        place = problem.place
        if place is None:
            return (-1, 0, 0)
        rank = self.sources.index(place.source) if place.source in self.sources else 0
        return (rank, place.line, place.column if place.line else 0)
