"""The hooks a plugin may implement, one line each (torch-free). A hook ships only with a real user."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import pluggy

__all__ = ["API", "GROUP", "Command", "Component", "hookimpl", "hookspec"]

API = (1, 0)
"""The plugin interface's version: a plugin made for a newer one, or another major, is incompatible."""

GROUP = "gen.plugins"
"""The entry-point group: key = namespace, value = the plugin's torch-free hook module."""

hookspec = pluggy.HookspecMarker("gen")
hookimpl = pluggy.HookimplMarker("gen")


@attrs.frozen
class Component:
    """Registers a class under a name: `Component("conv-encoder", "gen_nets.conv:ConvEncoder")`."""

    name: str
    target: str


@attrs.frozen
class Command:
    """Adds a command: `Command("compress", "gen_compression.compress", "what it does, in a line")`.

    The target is a module with `add(parser)`, which declares the arguments, and `main(args)`, which gives the exit
    status. It is imported when the command is called, and not before.
    """

    name: str
    target: str
    about: str


@hookspec
def gen_components() -> Iterable[Component]:  # type: ignore[empty-body]
    """The components of this plugin: the only place that mentions their names."""


@hookspec
def gen_commands() -> Iterable[Command]:  # type: ignore[empty-body]
    """The commands that this plugin adds to `gen`; none is called like one of gen's own."""
