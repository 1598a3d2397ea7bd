"""The commands that plugins add: known from manifests, imported when called, and never last-wins."""

from __future__ import annotations

from typing import Any

from gen.activate import load_command
from gen.commands import COMMANDS
from gen.errors import PluginError
from gen.hookspecs import Command
from gen.plugins import PluginRecord, catalogue

__all__ = ["about", "load", "names", "offers"]


def names() -> list[str]:
    """The names of the commands that usable plugins add, sorted; gen's own are not among them."""
    added = {command.name for plugin in catalogue().plugins if plugin.usable for command in plugin.commands}
    return sorted(added - COMMANDS.keys())


def offers(name: str) -> list[tuple[PluginRecord, Command]]:
    """The usable plugins that add a command of this name, none of gen's own, each with what it says of it."""
    usable = [plugin for plugin in catalogue().plugins if plugin.usable and name not in COMMANDS]
    return [(plugin, command) for plugin in usable for command in plugin.commands if command.name == name]


def about(name: str) -> str:
    """What a command does, as its plugin says; of one that several add, who they are."""
    found = offers(name)
    if len(found) == 1:
        return found[0][1].about
    return f"contested: {' and '.join(plugin.distribution for plugin, _ in found)} both add it"


def load(name: str) -> tuple[str, Any]:
    """What the command does, and its module, imported.

    Raises:
        PluginError: several plugins add it, or the one that does cannot be imported or breaks its promise.
    """
    found = offers(name)
    if len(found) > 1:
        owners = [plugin.distribution for plugin, _ in found]
        remedy = "keep one: " + " or ".join(f"pip uninstall {owner}" for owner in owners)
        raise PluginError(f"gen {name}: {' and '.join(owners)} both add this command\n   {remedy}")
    plugin, command = found[0]
    return command.about, load_command(command, plugin)
