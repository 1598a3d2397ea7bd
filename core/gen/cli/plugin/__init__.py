"""`gen plugin ACTION …`: what is installed and in what state, the yellow pages, manifests, conformance.

An action is a module with `add(parser)` and `main(args)`, as a command is; only the one that is called is imported.
"""

from __future__ import annotations

__all__ = ["ACTIONS"]

ACTIONS = {
    "new": ("write a plugin package for any kind of component", "gen.cli.plugin.new"),
    "list": ("the installed plugins and their states", "gen.cli.plugin.list"),
    "search": ("which package holds something", "gen.cli.plugin.search"),
    "manifest": ("write the manifests of editable plugins, and the registry", "gen.cli.plugin.manifest"),
    "why": ("why a plugin or a component is in its state, and what would cure it", "gen.cli.plugin.why"),
    "deps": ("the packages a recipe needs, for pip", "gen.cli.plugin.deps"),
    "check": ("put a plugin through the conformance kit", "gen.cli.plugin.check"),
}
