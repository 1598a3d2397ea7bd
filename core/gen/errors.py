"""What can go wrong, in the words of the person it happens to.

A `GenError` is never our bug: it carries an exit status, is shown without a traceback, and says the place, the value,
what was allowed and the remedy. `assert` guards our own invariants.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

import attrs

__all__ = [
    "CheckpointError",
    "CommandError",
    "DataError",
    "GenError",
    "OptionError",
    "Place",
    "PluginError",
    "Problem",
    "RecipeError",
    "ShapeError",
    "Stopped",
    "did_you_mean",
]


class GenError(ValueError):
    """Input refused: the base of every mistake a user can make (exit status 2)."""

    exit_code = 2


class OptionError(GenError):
    """An option of a component has the wrong type or lies outside its bounds."""


class ShapeError(GenError):
    """A part cannot meet the shapes it was given; the message says which it could meet."""


class DataError(GenError):
    """Data are missing, unreadable or not what they should be; the message names the file."""


class CheckpointError(GenError):
    """A checkpoint or model folder is damaged, foreign or absent."""


class PluginError(GenError):
    """A plugin that is needed is missing, broken, incompatible or contested."""


class CommandError(GenError):
    """The command line cannot be carried out as written."""


class Stopped(GenError):
    """A guard stopped the run (non-finite loss, disk full, no whole checkpoint): exit status 3."""

    exit_code = 3


@attrs.frozen
class Place:
    """Where a value was written: a recipe file, or an argument of the command line.

    `line` is 0 for an argument; `column` counts from 1; `text` is the whole line; the caret underlines `length` places.
    """

    source: str
    line: int
    column: int
    text: str
    length: int = 1

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source

    def excerpt(self, remedy: str = "") -> list[str]:
        """The line and a caret under the value, the remedy behind it."""
        number = f"{self.line:>5} | " if self.line else "   "
        margin = " " * 5 + " | " if self.line else "   "
        caret = " " * (self.column - 1) + "^" * max(1, self.length)
        return [number + self.text, f"{margin}{caret} {remedy}".rstrip()]


@attrs.frozen
class Problem:
    """One thing wrong with a recipe: `code` is stable, `remedy` stands behind the caret, `notes` below it."""

    code: str
    message: str
    place: Place | None = None
    remedy: str = ""
    notes: tuple[str, ...] = ()

    def render(self) -> str:
        """The problem as a good compiler would print it."""
        if self.place is None:
            head, body = f"error[{self.code}]: {self.message}", [f"   {self.remedy}"] if self.remedy else []
        else:
            head, body = f"{self.place}: error[{self.code}]: {self.message}", self.place.excerpt(self.remedy)
        return "\n".join([head, *body, *(f"   {note}" for note in self.notes)])


class RecipeError(GenError):
    """A recipe was refused; `problems` holds everything found in one pass, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        assert self.problems, "a RecipeError names at least one problem"
        super().__init__("\n\n".join(problem.render() for problem in self.problems))


def did_you_mean(word: str, allowed: Sequence[object]) -> str:
    """`did you mean "width"?`, or nothing where no allowed word is near; what is no word is near to none."""
    near = get_close_matches(word, [one for one in allowed if isinstance(one, str)], n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else ""
