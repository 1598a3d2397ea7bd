"""The command line's grammar: flags with dashes, overrides without, and the nearest name for what is mistyped."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, NoReturn

from gen.errors import CommandError

if TYPE_CHECKING:
    from gen.plugins import Catalogue

__all__ = ["Parser", "add_data_root", "add_overrides", "add_plugin", "is_override", "known_plugins", "split_words"]


class Parser(argparse.ArgumentParser):
    """argparse whose mistakes are a `CommandError`, and which takes flags between the positional words."""

    def __init__(self, *, prog: str, description: str) -> None:
        super().__init__(prog=prog, description=description, allow_abbrev=False)

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """Raises:
        CommandError: an argument is missing, unknown or malformed.
        """
        args, unknown = self.parse_known_intermixed_args(list(words))
        if unknown:
            raise CommandError(f"{self.prog} {unknown[0]}: {self._advice(unknown[0])}")
        return args

    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{self.prog}: {message}\n   {self.prog} --help shows what it takes")

    def _advice(self, word: str) -> str:
        if not word.startswith("-"):
            return f"one argument too many ({self.prog} --help shows what it takes)"
        flag, equals, _ = word.partition("=")
        near = get_close_matches(flag.lstrip("-"), [name.lstrip("-") for name in self._option_string_actions], n=1)
        if "." in flag or (equals and not near):
            return "overrides are written without dashes: train.steps=200"
        hint = f': did you mean "--{near[0]}"?' if near else f" ({self.prog} --help lists them)"
        return f"there is no such flag{hint}"


def is_override(word: str) -> bool:
    """`train.steps=200` sets, `~evaluate` removes; anything else is a file or a name."""
    return word.startswith("~") or re.match(r"[A-Za-z_][\w.-]*=", word) is not None


def split_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The recipes and the overrides among positional words, each in order."""
    return [word for word in words if not is_override(word)], [word for word in words if is_override(word)]


def add_overrides(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "overrides", nargs="*", metavar="path=value", help="sets a value of the recipe; ~path removes one"
    )


def add_plugin(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--plugin",
        action="append",
        default=[],
        metavar="FILE",
        help="a plugin that is one Python file, namespace local",
    )


def add_data_root(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-root", default=".", metavar="DIR", help="the folder that file names of data are relative to (here)"
    )


def known_plugins(args: argparse.Namespace) -> Catalogue:
    """The installed plugins, and the files that `--plugin` names (which are imported, torch and all)."""
    from gen.plugins import catalogue

    if not args.plugin:
        return catalogue()
    from gen.activate import local_plugin

    return catalogue([local_plugin(path) for path in args.plugin])
