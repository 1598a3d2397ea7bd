"""Files are small, say what they hold, and say what of it is public."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

LONGEST = 350
SHAPELESS = {"utils", "util", "helpers", "helper", "misc", "common"}


def test_no_file_is_long(root: Path) -> None:
    files = [path for part in ("core", "sdk", "plugins") for path in (root / part).rglob("*.py")]
    lengths = {path.relative_to(root).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    wrong = [f"{file}: {lines} lines" for file, lines in lengths.items() if lines > LONGEST]

    assert files
    assert not wrong, f"split by idea, nothing is longer than {LONGEST} lines:\n" + "\n".join(wrong)


def test_a_file_is_named_after_its_idea(sources: Any) -> None:
    wrong = [source.file for source in sources if source.path.stem in SHAPELESS]

    assert not wrong, "name the file after the idea in it, or move each function to where it is used:\n" + "\n".join(
        wrong
    )


def test_every_module_says_what_it_holds(sources: Any) -> None:
    wrong = [source.file for source in sources if not (ast.get_docstring(source.tree) or "").strip()]

    assert not wrong, "begin with a docstring:\n" + "\n".join(wrong)


def test_every_module_says_what_is_public(sources: Any) -> None:
    wrong = [source.file for source in sources if _defines(source.tree) and not _assigns(source.tree, "__all__")]

    assert not wrong, "write __all__ below the imports:\n" + "\n".join(wrong)


def _defines(tree: ast.Module) -> bool:
    """Whether a module has anything public to offer: a class, a function, a constant; `__main__` has not."""
    names = [node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))]
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    names += [target.id for target in targets if isinstance(target, ast.Name)]
    return any(not name.startswith("_") for name in names)


def _assigns(tree: ast.Module, name: str) -> bool:
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)
