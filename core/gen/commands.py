"""The commands that are gen's own: name → (what it does, its module). No plugin may add one of these names."""

from __future__ import annotations

__all__ = ["COMMANDS"]

COMMANDS = {
    "run": ("train what a recipe says", "gen.cli.run"),
    "resume": ("go on with a run from its last checkpoint", "gen.cli.resume"),
    "sample": ("draw samples from a run", "gen.cli.sample"),
    "eval": ("measure a run anew, without training", "gen.cli.eval"),
    "compare": ("one table of several runs: metrics, time, options", "gen.cli.compare"),
    "report": ("one HTML file of a run: curves, pictures, figures", "gen.cli.report"),
    "validate": ("check recipes: names, types, bounds, joins, data", "gen.cli.validate"),
    "plan": ("parts, shapes, parameters and memory of a recipe", "gen.cli.plan"),
    "ls": ("what is installed: components, recipes, plugins, runs", "gen.cli.ls"),
    "show": ("a component: its options, slots and what it can do", "gen.cli.show"),
    "cat": ("a recipe in full, every default written out", "gen.cli.cat"),
    "cp": ("copy a shipped recipe to edit", "gen.cli.cp"),
    "schema": ("a JSON Schema of recipes, for editors", "gen.cli.schema"),
    "doctor": ("what is wrong with this installation", "gen.cli.doctor"),
    "plugin": ("list, find and check plugins, write their manifests", "gen.cli.plugin"),
}
