"""`gen cp RECIPE FILE`: a shipped recipe, copied to edit, together with the files it builds on."""

from __future__ import annotations

import argparse
from pathlib import Path

import yaml

from gen.errors import CommandError, did_you_mean
from gen.plugins import catalogue

__all__ = ["add", "main"]


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", metavar="RECIPE", help="the name of a shipped recipe (gen ls recipes), or a file")
    parser.add_argument("file", metavar="FILE", help="where to put it: a new file, or a folder")


def main(args: argparse.Namespace) -> int:
    source = _source(args.recipe)
    target = Path(args.file)
    if target.is_dir():
        target /= source.name
    files = [(source, target), *((base, target.parent / base.name) for base in _bases(source))]
    for _, to in files:
        if to.exists():
            raise CommandError(f"gen cp: {to} exists already: choose another name")
    for origin, to in files:
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            with to.open("xb") as file:
                file.write(origin.read_bytes())
        except OSError as error:
            raise CommandError(f"gen cp: cannot write {to}: {error.strerror}") from error
        print(to)
    return 0


def _source(name: str) -> Path:
    if Path(name).is_file():
        return Path(name)
    known = catalogue()
    recipe = known.recipe(name)
    if recipe is not None:
        return recipe.path
    names = [recipe.name for plugin in known.plugins if plugin.usable for recipe in plugin.recipes]
    near = did_you_mean(name, names)
    raise CommandError(f'gen cp: there is no recipe "{name}"{f": {near}" if near else ""} (gen ls recipes lists them)')


def _bases(path: Path) -> list[Path]:
    """The files beside a recipe that it builds on: without them its copy could not be read."""
    found = [path]
    while (name := _base(found[-1])) is not None and Path(name).name == name:
        base = path.parent / name
        if base in found or not base.is_file():
            break
        found.append(base)
    return found[1:]


def _base(path: Path) -> str | None:
    try:
        record = yaml.safe_load(path.read_bytes())
    except (yaml.YAMLError, ValueError, OSError):
        return None
    base = record.get("base") if isinstance(record, dict) else None
    return base if isinstance(base, str) else None
