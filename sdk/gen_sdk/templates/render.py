"""The texts of a new plugin, from the templates in this package (torch-free, offline)."""

from __future__ import annotations

import ast
from importlib.resources import files
from string import Template

from gen import __version__
from gen_sdk.templates.kinds import KINDS, Example

__all__ = ["module_summary", "render"]

HERE = files("gen_sdk.templates")

MINIMAL = {
    "pyproject.toml": "pyproject.toml",
    "{package}/__init__.py": "__init__.py",
    "{package}/plugin.py": "plugin.py",
}
"""Path in the new folder → template in `package/`, for every plugin; components and recipe come besides."""

WHOLE = {
    "README.md": "README.md",
    ".gitignore": "gitignore",
    ".github/workflows/check.yml": "check.yml",
    "tests/test_conformance.py": "test_conformance.py",
}
"""The same, for what `--minimal` leaves out."""


def render(namespace: str, kind: str, *, minimal: bool = False) -> dict[str, str]:
    """Every file of a new plugin but its manifest: relative posix path → text.

    Args:
        namespace: kebab-case; `ring` makes the distribution gen-ring and the package gen_ring.
        kind: a key of `KINDS`.
        minimal: leave out README, tests, CI and .gitignore.
    """
    example = KINDS[kind]
    package = f"gen_{namespace.replace('-', '_')}"
    words = _words(namespace, package, example, minimal)
    wanted = MINIMAL if minimal else MINIMAL | WHOLE
    texts = {path.format(package=package): _filled(f"package/{name}.tmpl", words) for path, name in wanted.items()}
    for module in example.modules:
        texts[f"{package}/{module}.py"] = _read(f"components/{module}.py")
    texts[f"{package}/recipes/{namespace}-digits.yaml"] = _filled(f"recipes/{kind}.yaml", words)
    return texts


def module_summary(module: str, name: str) -> str:
    """The first line of the docstring of a class in `components/`, found by reading."""
    tree = ast.parse(_read(f"components/{module}.py"))
    node = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    return (ast.get_docstring(node) or "").partition("\n")[0]


def _words(namespace: str, package: str, example: Example, minimal: bool) -> dict[str, str]:
    """What stands for each `$word` of a template."""
    targets = {name: target.partition(":") for name, target in example.components.items()}
    kinds = {name: example.kind if name == example.name else _part(name) for name in targets}
    lines = [f'        Component("{name}", "{package}.{target}"),' for name, target in example.components.items()]
    rows = [
        f"| `{namespace}/{name}` | {kinds[name]} | {module_summary(module, cls)} |"
        for name, (module, _, cls) in targets.items()
    ]
    held = {module: [f"`{name}`" for name in targets if targets[name][0] == module] for module in example.modules}
    uses = [f"gen-{use}" for use in example.uses]
    return {
        "namespace": namespace,
        "package": package,
        "distribution": f"gen-{namespace}",
        "about": f"{_article(example.kind)} for gen: {example.name}.",
        "readme": "" if minimal else 'readme = "README.md"\n',
        "range": _range(__version__),
        "dev": ", ".join(f'"{name}"' for name in (*sorted(uses), "gen-sdk", "pytest>=8")),
        "components": "\n".join(lines),
        "table": "\n".join(rows),
        "files": "\n".join(f"| `{package}/{module}.py` | {' and '.join(names)} |" for module, names in held.items()),
    }


def _part(name: str) -> str:
    """The kind of what is written besides the component itself, a tiny model or its sampler."""
    return "sampler" if name in ("tiny-noise", "tiny-steps", "tiny-ancestral") else "model"


def _article(kind: str) -> str:
    words = kind.replace("-", " ").replace("lr", "learning-rate")
    return f"{'An' if words[0] in 'aeiou' else 'A'} {words}"


def _range(version: str) -> str:
    """`>=0.1,<0.2` for 0.1.4: the versions of core that keep the interface which this template is written for."""
    major, minor = (int(word) for word in version.split(".")[:2])
    ceiling = f"0.{minor + 1}" if major == 0 else f"{major + 1}"
    return f">={major}.{minor},<{ceiling}"


def _filled(name: str, words: dict[str, str]) -> str:
    return Template(_read(name)).substitute(words)


def _read(name: str) -> str:
    return HERE.joinpath(name).read_text(encoding="utf-8")
