"""Whether the files and folders that a recipe names lie under the data root, without opening them (torch-free)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen.errors import Place, Problem
from gen.spec import ComponentSpec, OptionSpec

if TYPE_CHECKING:
    from gen.recipe.recipe import Recipe

__all__ = ["missing_data"]

SHOWN = 6


def missing_data(recipe: Recipe, root: str | Path) -> tuple[Problem, ...]:
    """One problem `data` for each path option whose file or folder is not there: where it looked, what it found."""
    problems = []
    for where, option, value in _paths(recipe.config, "", recipe.components):
        for name in value if isinstance(value, (list, tuple)) else [value]:
            problem = _missing(option, name, Path(root).expanduser(), _place(recipe.places, where))
            if problem is not None:
                problems.append(problem)
    return tuple(problems)


def _paths(value: Any, path: str, specs: dict[str, ComponentSpec]) -> Iterator[tuple[str, OptionSpec, Any]]:
    """Every path option in a resolved recipe: its dotted path, its spec, its value."""
    if isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            yield from _paths(item, f"{path}.{number}", specs)
    if not isinstance(value, dict):
        return
    spec = specs.get(value["use"]) if isinstance(value.get("use"), str) else None
    for key, item in value.items():
        where = f"{path}.{key}" if path else key
        option = spec.option(key) if spec is not None else None
        if option is None:
            yield from _paths(item, where, specs)
        elif option.path is not None and item:
            yield where, option, item


def _place(places: dict[str, Place], path: str) -> Place | None:
    """Where the value was written; for a default, where its component was named."""
    while path:
        if path in places:
            return places[path]
        path = path.rpartition(".")[0]
        if f"{path}.use" in places:
            return places[f"{path}.use"]
    return None


def _missing(option: OptionSpec, name: str, root: Path, place: Place | None) -> Problem | None:
    path = (root / name).absolute()
    wanted, other = ("folder", "file") if option.path == "folder" else ("file", "folder")
    try:
        if path.is_dir() if wanted == "folder" else path.is_file():
            return None
        there = f'"{name}" is a {other}: {option.name} names a {wanted}' if path.exists() else ""
    except OSError as error:
        there = f'cannot look at "{name}": {error.strerror}'
    message = there or f'there is no {wanted} "{name}"'
    return Problem("data", message, place, f"looked for {path}", (_surroundings(path), _HINT))


_HINT = "names are relative to the data root: --data-root DIR sets it"


def _surroundings(path: Path) -> str:
    """What the nearest folder above holds."""
    parent = next((parent for parent in path.parents if parent.is_dir()), path.parent)
    try:
        names = sorted(_shown(entry) for entry in parent.iterdir() if entry.name[0] != ".")
    except OSError as error:
        return f"{parent} cannot be read: {error.strerror}"
    if not names:
        return f"{parent} is empty"
    rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{parent} holds {', '.join(names[:SHOWN])}{rest}"


def _shown(entry: Path) -> str:
    name = entry.name if entry.name.isprintable() else repr(entry.name)[1:-1]
    return name + "/" * entry.is_dir()
