"""Commands that plugins add: listed from manifests, imported when called, never in place of another."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from gen import cli
from gen.manifest import FILE, Manifest

HOOK = """
from gen.hookspecs import Command, hookimpl

@hookimpl
def gen_commands():
    return [{commands}]
"""
ROLL = 'Command("roll", "{package}.roll", "roll a thing along")'
MODULE = """
from gen.errors import CommandError

def add(parser):
    parser.add_argument("what", metavar="WHAT", help="which thing")

def main(args):
    if args.what == "square":
        raise CommandError("gen roll: a square does not roll")
    print(args.what, "rolls")
    return 0
"""


def add(installation: Any, namespace: str = "ring", commands: str = ROLL, module: str = MODULE, **more: Any) -> Any:
    """A plugin without components that adds commands."""
    package = more.get("package") or f"gen_{namespace}"
    hook = HOOK.format(commands=commands.format(package=package))
    folder = installation.add(namespace, files={"plugin.py": hook, "roll.py": module}, **more)
    installation.look()
    return folder


def test_a_command_is_listed_without_its_plugin_and_carried_out_with_it(
    installation: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = add(installation)
    capsys.readouterr()

    assert cli.main(["--help"]) == 0
    assert "  roll " in (shown := capsys.readouterr().out)
    assert "roll a thing along" in shown
    assert "gen_ring" not in sys.modules
    assert [c.name for c in Manifest.from_text((folder / FILE).read_text()).commands] == ["roll"]

    assert cli.main(["roll", "a ring"]) == 0
    assert capsys.readouterr().out == "a ring rolls\n"
    assert cli.main(["roll", "--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: gen roll [-h] WHAT\n\nRoll a thing along.")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["roll", "square"], "gen roll: a square does not roll\n"),
        (["roll"], "gen roll: the following arguments are required: WHAT\n   gen roll --help shows what it takes\n"),
        (["rol"], 'gen rol: there is no such command: did you mean "roll"? (gen --help lists the commands)\n'),
    ],
)
def test_its_mistakes_are_messages_as_those_of_others(
    installation: Any, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    add(installation)
    capsys.readouterr()

    assert cli.main(words) == 2
    assert capsys.readouterr().err == said


def test_two_plugins_that_add_one_command_are_both_shown_and_neither_wins(
    installation: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    add(installation)
    add(installation, "wheel")
    capsys.readouterr()

    assert cli.main(["--help"]) == 0
    assert "roll      contested: gen-ring and gen-wheel both add it" in capsys.readouterr().out
    assert cli.main(["roll", "x"]) == 2
    assert capsys.readouterr().err == (
        "gen roll: gen-ring and gen-wheel both add this command\n"
        "   keep one: pip uninstall gen-ring or pip uninstall gen-wheel\n"
    )


def test_a_wheel_that_adds_a_command_of_gens_own_does_not_get_it(
    installation: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its author was refused; a wheel may be older than the command."""
    from gen.hookspecs import Command

    claim = Manifest("ring", "gen_ring", "gen-ring", (1, 0), commands=(Command("ls", "gen_ring.roll", "steal"),))
    add(installation, wheel=True)
    (installation.wheels / "gen_ring" / FILE).write_text(claim.to_text())
    installation.look()

    assert cli.main(["--help"]) == 0
    assert "steal" not in capsys.readouterr().out
    assert cli.main(["ls", "plugins"]) == 0
    assert "gen_ring" not in sys.modules
    assert "ring" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("commands", "reason"),
    [
        ('Command("run", "gen_ring.roll", "x")', "gen run is gen's own command: choose another name for gen_ring.roll"),
        ('Command("Roll", "gen_ring.roll", "x")', '"Roll" is no name of a command: lower-case words joined by hyphens'),
        (f"{ROLL}, {ROLL}", "gen roll is added twice: by gen_ring.roll and gen_ring.roll"),
        ('Command("roll", "gen_ring/roll", "x")', '"gen_ring/roll" names no module: the target of a command is'),
        ('Command("roll", "gen_ring.roll", "")', "gen roll says nothing of itself: give it one line, `about`"),
        ('"roll"', "gen_commands gave 'roll': it gives Command(name, target, about)"),
    ],
)
def test_a_command_that_breaks_a_rule_breaks_its_plugin(installation: Any, commands: str, reason: str) -> None:
    add(installation, commands=commands)
    found = installation.look().plugin("ring")

    assert found is not None
    assert (found.state, found.reason[: len(reason)]) == ("broken", reason)


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("def add(parser): ...", "gen_ring.roll is no command: it lacks main"),
        ("import nothing_at_all", 'gen_ring.roll needs the package "nothing_at_all", which is missing'),
        ("1 / 0", "importing gen_ring.roll failed with ZeroDivisionError: division by zero (roll.py, line 1)"),
    ],
)
def test_a_command_that_cannot_be_imported_is_refused_with_its_plugins_name(
    installation: Any, capsys: pytest.CaptureFixture[str], module: str, said: str
) -> None:
    add(installation, module=module)
    capsys.readouterr()

    assert cli.main(["roll", "x"]) == 2
    assert capsys.readouterr().err.startswith(f"plugin ring (gen-ring 1.2.3): {said}")
