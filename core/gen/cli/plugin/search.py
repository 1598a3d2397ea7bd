"""`gen plugin search WORD`: which package of the yellow pages holds something."""

from __future__ import annotations

import argparse

from gen import registry
from gen.cli.table import table
from gen.installed import declared

__all__ = ["add", "main"]


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("word", metavar="WORD", help="part of a name or of a summary")


def main(args: argparse.Namespace) -> int:
    installed = {plugin.namespace for plugin in declared()}
    for entry, names in registry.search(args.word):
        print(f"{entry.namespace}  {entry.summary}  ({'installed' if entry.namespace in installed else entry.install})")
        if names:
            print(table([(name, entry.components[name.partition("/")[2]]) for name in names]))
    return 0
