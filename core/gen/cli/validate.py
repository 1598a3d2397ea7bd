"""`gen validate RECIPE…`: everything about a recipe that can be known without torch, all problems in one pass."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from gen.cli.arguments import add_data_root, add_plugin, known_plugins, split_words
from gen.errors import CommandError, GenError, Problem, RecipeError
from gen.plugins import Catalogue
from gen.presence import missing_data

__all__ = ["add", "main"]


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="+",
        metavar="RECIPE|path=value",
        help="recipes (files, or names of shipped ones), and overrides that hold for all of them",
    )
    parser.add_argument("--json", action="store_true", help="for programs: one record per recipe")
    add_data_root(parser)
    add_plugin(parser)


def main(args: argparse.Namespace) -> int:
    recipes, overrides = split_words(args.words)
    if not recipes:
        raise CommandError("gen validate: name a recipe: gen validate my.yaml")
    known = known_plugins(args)
    found = {name: check(name, overrides, known, args.data_root) for name in recipes}
    if args.json:
        print(json.dumps([_record(name, problems) for name, problems in found.items()], indent=2, ensure_ascii=False))
    else:
        for name, problems in found.items():
            print("\n\n".join(problem.render() for problem in problems) + "\n" if problems else f"{name}: ok")
    return 2 if any(found.values()) else 0


def check(name: str, overrides: Sequence[str], known: Catalogue, root: str) -> tuple[Problem, ...]:
    """The problems of one recipe; data are looked for once the recipe itself is sound."""
    from gen.recipe.recipe import Recipe

    try:
        recipe = Recipe.read(name, overrides, catalogue=known)
    except RecipeError as error:
        return error.problems
    except GenError as error:
        return (Problem("recipe", str(error)),)
    return missing_data(recipe, root)


def _record(name: str, problems: Sequence[Problem]) -> dict[str, Any]:
    return {"recipe": name, "ok": not problems, "problems": [_problem(problem) for problem in problems]}


def _problem(problem: Problem) -> dict[str, Any]:
    place = problem.place
    return {
        "code": problem.code,
        "message": problem.message,
        "source": place.source if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "length": place.length if place else None,
        "remedy": problem.remedy,
        "notes": list(problem.notes),
    }
