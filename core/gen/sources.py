"""Which files of a package a manifest depends on: what the hook module and the targets import, and shipped recipes.

Found by reading, not by importing: the import statements at the top level of a module, and in the hook module those
inside functions too. An edit anywhere else in the package leaves its manifest as it is.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["changed", "fingerprint"]


def fingerprint(folder: Path, hook: str, modules: Iterable[str]) -> dict[str, str]:
    """Relative name → SHA-256 of every file that decides what the plugin's manifest says.

    Args:
        folder: the folder of the plugin's top-level package.
        hook: its hook module, by full name.
        modules: the modules of the targets, by full name; those of other packages do not count.
    """
    files = {*_closure(folder, hook, modules), *folder.glob("recipes/*.yaml")}
    return {path.relative_to(folder).as_posix(): _hash(path) for path in sorted(files)}


def changed(folder: Path, sources: dict[str, str], made: int) -> bool:
    """Whether one of `sources` is gone, or is newer than `made` (ns) with other content, or a recipe came."""
    if any(f"recipes/{path.name}" not in sources for path in folder.glob("recipes/*.yaml")):
        return True
    for name, recorded in sources.items():
        try:
            path = folder / name
            if path.stat().st_mtime_ns >= made and _hash(path) != recorded:
                return True
        except OSError:
            return True
    return False


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _closure(folder: Path, hook: str, modules: Iterable[str]) -> set[Path]:
    todo, found = [hook, *modules], set()
    while todo:
        module = todo.pop()
        for path in _files(folder, module):
            if path not in found:
                found.add(path)
                todo += _imported(path, _package(folder, path), inside_functions=module == hook)
    return found


def _files(folder: Path, module: str) -> list[Path]:
    """The files that importing `module` runs, as far as they lie in this package: `__init__` files, then its own."""
    top, *rest = module.split(".")
    if top != folder.name:
        return []
    paths = [folder.joinpath(*rest[:depth], "__init__.py") for depth in range(len(rest) + 1)]
    if rest:
        paths.append(folder.joinpath(*rest[:-1], f"{rest[-1]}.py"))
    return [path for path in paths if path.is_file()]


def _package(folder: Path, path: Path) -> list[str]:
    """What a relative import in this file is relative to."""
    return [folder.name, *path.parent.relative_to(folder).parts]


def _imported(path: Path, package: list[str], *, inside_functions: bool) -> Iterator[str]:
    """The modules a file may import; `from a import b` counts as `a` and as `a.b`."""
    nodes: list[ast.AST] = list(ast.parse(path.read_bytes(), filename=str(path)).body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif inside_functions or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            skipped = node.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test) else []
            nodes += (child for child in ast.iter_child_nodes(node) if child not in skipped)
