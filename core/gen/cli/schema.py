"""`gen schema`: a JSON Schema of recipes for the installed plugins, for completion and checks in an editor."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from gen.cli.arguments import add_plugin, known_plugins
from gen.errors import CommandError

__all__ = ["add", "main"]


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", metavar="FILE", help="write it there, and say how an editor finds it")
    add_plugin(parser)


def main(args: argparse.Namespace) -> int:
    from gen.recipe.schema import json_schema

    text = json.dumps(json_schema(known_plugins(args)), indent=2, ensure_ascii=False)
    if args.output is None:
        print(text)
        return 0
    path = Path(args.output)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise CommandError(f"gen schema: cannot write {path}: {error.strerror}") from error
    print(f"{path}\nput this on the first line of a recipe:  # yaml-language-server: $schema={path}")
    return 0
