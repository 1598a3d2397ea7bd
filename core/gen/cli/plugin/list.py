"""`gen plugin list`: the installed plugins and their states."""

from __future__ import annotations

import argparse
import json
from typing import Any

from gen.cli.ls import plugins_table
from gen.plugins import PluginRecord, catalogue

__all__ = ["add", "main"]


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")


def main(args: argparse.Namespace) -> int:
    known = catalogue()
    print(json.dumps([_record(plugin) for plugin in known.plugins], indent=2) if args.json else plugins_table(known))
    return 0


def _record(plugin: PluginRecord) -> dict[str, Any]:
    return {
        "namespace": plugin.namespace,
        "package": plugin.package,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "folder": str(plugin.folder) if plugin.folder else None,
        "state": plugin.state,
        "reason": plugin.reason,
        "remedy": plugin.remedy,
        "api": list(plugin.api) if plugin.api else None,
        "components": [spec.name for spec in plugin.components],
        "recipes": [recipe.name for recipe in plugin.recipes],
        "commands": [command.name for command in plugin.commands],
    }
