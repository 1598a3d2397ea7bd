"""What the laws look at: every Python file of the shipped packages, parsed once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from gen import registry
from gen.plugins import PluginRecord, catalogue

ROOT = registry.checkout_file().parent
PACKAGES = (ROOT / "core/gen", ROOT / "sdk/gen_sdk", *sorted(ROOT.glob("plugins/*/gen_*")))


@attrs.frozen
class Source:
    """A Python file of a package. `module` is its dotted name; that of a package is the name of the package."""

    path: Path
    package: str
    module: str
    text: str
    tree: ast.Module

    @property
    def file(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    def place(self, node: ast.AST) -> str:
        return f"{self.file}:{getattr(node, 'lineno', 1)}"

    def literals(self) -> Iterator[ast.Constant]:
        """Texts that the code uses: pieces of f-strings too, docstrings not."""
        docs = {id(node.value) for node in ast.walk(self.tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                yield node


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def sources() -> list[Source]:
    """The files of core, sdk and plugins, without their tests."""
    return [_source(folder, path) for folder in PACKAGES for path in sorted(folder.rglob("*.py"))]


@pytest.fixture(scope="session")
def ours() -> list[PluginRecord]:
    """The installed plugins that this checkout holds, core's own among them."""
    return [plugin for plugin in catalogue().plugins if plugin.folder and ROOT in plugin.folder.resolve().parents]


def _source(folder: Path, path: Path) -> Source:
    text = path.read_text(encoding="utf-8")
    words = path.relative_to(folder.parent).with_suffix("").parts
    module = ".".join(words[:-1] if words[-1] == "__init__" else words)
    return Source(path, folder.name, module, text, ast.parse(text, str(path)))
