"""The command `gen`: `gen COMMAND …`. Only the command that is called is imported, and torch only where it trains.

A command is a module with `add(parser)`, which declares its arguments, and `main(args)`, which gives the exit status:
0 done, 1 our bug, 2 input refused, 3 stopped by a guard, 130 or 143 stopped by a signal. Plugins add commands of the
same form (`gen.hookspecs.Command`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from gen.commands import COMMANDS
from gen.errors import CommandError, GenError, did_you_mean

__all__ = ["COMMANDS", "main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Carries out one command line; the exit status."""
    if hasattr(sys.stdout, "reconfigure"):  # a terminal without σ and ² shows escapes instead of failing
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = _command(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
        return status
    except GenError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader has seen enough: `gen ls | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception:
        return _our_bug()


def _command(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0
    name, *words = argv
    if name in ("-V", "--version"):
        from gen import __version__

        print(f"gen {__version__}")
        return 0
    from importlib import import_module

    from gen.cli.arguments import Parser

    command: Any
    if name in COMMANDS:
        about, module = COMMANDS[name]
        command = import_module(module)
    else:
        from gen.cli import added

        if not added.offers(name):
            raise CommandError(_unknown(name))
        about, command = added.load(name)
    if hasattr(command, "ACTIONS"):
        if not words or words[0] not in command.ACTIONS:
            return _actions(name, command.ACTIONS, words)
        name, (about, module), words = f"{name} {words[0]}", command.ACTIONS[words[0]], words[1:]
        command = import_module(module)
    parser = Parser(prog=f"gen {name}", description=about[0].upper() + about[1:] + ".")
    command.add(parser)
    try:
        args = parser.parse(words)
    except SystemExit:  # argparse has shown the help
        return 0
    return int(command.main(args))


def _actions(name: str, actions: Mapping[str, tuple[str, str]], words: Sequence[str]) -> int:
    """The help of a command whose first word is an action.

    Raises:
        CommandError: the word is none, or missing.
    """
    if words and words[0] in ("-h", "--help"):
        rows = [f"  {action:<{max(map(len, actions))}}  {about}" for action, (about, _) in actions.items()]
        print("\n".join([f"usage: gen {name} ACTION …        gen {name} ACTION --help says more", "", *rows]))
        return 0
    near = did_you_mean(words[0], list(actions)) if words else ""
    what = f'there is no action "{words[0]}"' if words else "name an action"
    raise CommandError(f"gen {name}: {what}{f': {near}' if near else ''}\n   there are: {', '.join(actions)}")


def _overview() -> str:
    from gen.cli import added

    theirs = {name: added.about(name) for name in added.names()}
    width = max(map(len, (*COMMANDS, *theirs)))
    lines = [f"  {name:<{width}}  {about}" for name, (about, _) in COMMANDS.items()]
    lines += ["", *(f"  {name:<{width}}  {about}" for name, about in theirs.items())] if theirs else []
    return "\n".join(
        [
            "usage: gen COMMAND …        gen COMMAND --help says more",
            "",
            *lines,
            "",
            "  gen cp vae-digits my.yaml && gen run my.yaml train.steps=200",
        ]
    )


def _unknown(word: str) -> str:
    if word.endswith((".yaml", ".yml")):
        return f"gen {word}: a command comes first: gen run {word}"
    from gen.cli import added

    near = did_you_mean(word.lstrip("-"), [*COMMANDS, *added.names()])
    what = "there is no such option" if word.startswith("-") else "there is no such command"
    return f"gen {word}: {what}{f': {near}' if near else ''} (gen --help lists the commands)"


def _our_bug() -> int:
    import platform
    import traceback

    from gen import __version__

    traceback.print_exc()
    print(
        "\ngen: this is our bug, not your mistake. Please report it with the lines above "
        f"(gen {__version__}, Python {platform.python_version()}, {platform.system()}).",
        file=sys.stderr,
    )
    return 1
