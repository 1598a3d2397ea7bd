"""Writes the reference pages from the code: `python docs/generate.py`. Torch-free; a law test holds them in step.

They are committed, so that links to them lead somewhere in a fresh clone and on a forge, and a reviewer sees a changed
interface as prose.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

from gen import component, hookspecs, sections
from gen.cli.ls import plural
from gen.sections import Section
from gen.spec import TRAITS, OptionSpec, SlotSpec, show

__all__ = ["pages"]

HERE = Path(__file__).resolve().parent
INTERFACES = Path(inspect.getfile(component)).with_name("interfaces")
READING_ORDER = ("part", "networks", "distributions", "model", "objectives", "noise", "sampling", "data", "training")
NOTE = "<!-- Written from the code by docs/generate.py: change the docstrings, then run it. -->"


def pages() -> dict[Path, str]:
    """Every generated page and its text."""
    return {HERE / "reference/interfaces.md": interfaces_page(), HERE / "reference/recipe.md": recipe_page()}


# The interfaces: read from their sources, so that signatures stand as they were written.


def interfaces_page() -> str:
    head = f"""\
# The interfaces

{NOTE}

What a component promises, by kind. Shapes are per sample, B is the batch; data are float tensors in the range of their
domain, [-1, 1] unless the data say otherwise. A component is a final class, decorated with `component`, that derives
from one of these; methods marked *must* are the ones it has to write. `gen ls` shows the components of every kind.

## Fields

A component's options, slots and wired fields are attrs fields; only these three make one.
"""
    blocks = [head]
    for make in (component.option, component.slot, component.wired):
        blocks.append(f"### `{make.__name__}`\n\n{_prose(inspect.getdoc(make) or '')}\n")
    blocks.append(_traits())
    for stem in (*READING_ORDER, *sorted({path.stem for path in INTERFACES.glob("[a-z]*.py")} - {*READING_ORDER})):
        blocks += _module(ast.parse((INTERFACES / f"{stem}.py").read_text(encoding="utf-8")))
    blocks.append(_hooks())
    return "\n".join(blocks)


def _traits() -> str:
    rows = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in TRAITS.items())
    return f"""\
## What a component says of itself

Three class attributes are for whoever checks a component; they stand in its manifest. `traits: ClassVar[dict]`
declares properties, of the table below; `example: ClassVar[dict]` gives the options and slots of a small instance, in
the form of a recipe; `excused: ClassVar[dict]` maps the name of a check it need not pass to the reason.

| trait | meaning |
|---|---|
{rows}
"""


def _hooks() -> str:
    tree = ast.parse(inspect.getsource(hookspecs))
    hooks = [node for node in _functions(tree) if any(ast.unparse(mark) == "hookspec" for mark in node.decorator_list)]
    text = "\n".join(f"- `{_signature(hook)}` — {ast.get_docstring(hook)}" for hook in hooks)
    return f"""\
## Hooks

What a plugin's hook module may implement, decorated with `gen.hookspecs.hookimpl`. The plugin interface has version
{".".join(map(str, hookspecs.API))}; a manifest records the version it was made for.

{text}
"""


def _module(tree: ast.Module) -> Iterator[str]:
    yield f"## {_heading(ast.get_docstring(tree) or '')}\n"
    for node, after in zip(tree.body, [*tree.body[1:], ast.Pass()], strict=True):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _class(node)
        elif _name(node) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            yield f"### `{_name(node)}`\n\n{_prose(str(after.value.value))}\n"


def _heading(doc: str) -> str:
    """The first sentence of a module's docstring, as a title."""
    first = doc.partition("\n\n")[0].replace("\n", " ")
    return first.partition(": ")[0].partition(". ")[0].rstrip(".")


def _class(node: ast.ClassDef) -> Iterator[str]:
    kind = next((_value(one) for one in node.body if _name(one) == "kind" and _value(one)), "")
    bases = ", ".join(base for base in map(ast.unparse, node.bases) if base not in ("ABC", "nn.Module"))
    about = [f"kind {kind.strip(chr(34) + chr(39))}" if kind else "", f"a {bases}" if bases else ""]
    yield f"### `{node.name}`\n"
    if any(about):
        yield f"*{', '.join(filter(None, about))}*\n"
    yield _prose(ast.get_docstring(node) or "") + "\n"
    fields = [one for one in node.body if isinstance(one, (ast.AnnAssign, ast.Assign)) and _name(one) != "kind"]
    if fields:
        yield "".join(f"- `{ast.unparse(field)}`\n" for field in fields)
    for method in _functions(node):
        if not method.name.startswith("_") or method.name in ("__call__", "__len__"):
            yield _method(method)


def _method(node: ast.FunctionDef) -> str:
    marks = {ast.unparse(mark) for mark in node.decorator_list}
    words = [word for mark, word in (("abstractmethod", "*must*"), ("classmethod", "class method")) if mark in marks]
    doc = " ".join((ast.get_docstring(node) or "").split())
    return " — ".join(filter(None, (f"- `{_signature(node)}`", ", ".join(words), doc))) + "\n"


def _signature(node: ast.FunctionDef) -> str:
    args = node.args
    positional = [*args.posonlyargs, *args.args]
    defaults = [None] * (len(positional) - len(args.defaults)) + list(args.defaults)
    words = [_parameter(arg, default) for arg, default in zip(positional, defaults, strict=True)]
    words = words[1:] if positional and positional[0].arg in ("self", "cls") else words
    if args.vararg or args.kwonlyargs:
        words.append(f"*{_parameter(args.vararg, None)}" if args.vararg else "*")
    words += [_parameter(arg, default) for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True)]
    if args.kwarg:
        words.append(f"**{_parameter(args.kwarg, None)}")
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{node.name}({', '.join(words)}){returns}"


def _parameter(arg: ast.arg, default: ast.expr | None) -> str:
    kind = f": {ast.unparse(arg.annotation)}" if arg.annotation else ""
    return f"{arg.arg}{kind}{f' = {ast.unparse(default)}' if default is not None else ''}"


def _functions(node: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef]:
    return (one for one in node.body if isinstance(one, ast.FunctionDef))


def _name(node: ast.stmt) -> str:
    targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets if isinstance(node, ast.Assign) else []
    target = targets[0] if targets else None
    return target.id if isinstance(target, ast.Name) else ""


def _value(node: ast.stmt) -> str:
    value = node.value if isinstance(node, (ast.AnnAssign, ast.Assign)) else None
    return ast.unparse(value) if value is not None else ""


def _prose(doc: str) -> str:
    """A docstring as Markdown: sections such as `Args:` become lists."""
    lines = []
    for line in inspect.cleandoc(doc).splitlines():
        if line.strip() in ("Args:", "Raises:"):
            lines += [f"{line.strip()}", ""]
        elif line.startswith("        "):
            lines.append(f"  {line.strip()}")
        else:
            lines.append(f"- {line.strip()}" if line.startswith("    ") else line)
    return "\n".join(lines)


# The recipe: from the specs that its checker uses.


def recipe_page() -> str:
    head = f"""\
# The recipe

{NOTE}

One YAML file per experiment. A component is written as its NAME alone, or as `{{use: NAME, option: …}}` with its
options and slots beside `use`; `gen show NAME` lists them. No import path and no code ever stands in a recipe. Sections
that are left out take their defaults; unknown keys, duplicate keys, tags and anchors are refused, all problems in one
pass.

Two keys concern files: `base: FILE` starts from another recipe (mappings are merged deeply, what states `use` replaces
the inherited component whole), and `drop: [path, …]` removes what came from there. On the command line `path=value`
sets a value and `~path` removes one: `gen run vae-digits train.steps=200 ~evaluate`.
"""
    blocks = [head, "## At the root\n", _table(_row(_field(sections.ROOT, name)) for name in sections.ORDER)]
    for section in sections.ROOT.sections:
        blocks += _section(section, section.name)
    blocks += [
        "## Beside an optimizer's options\n",
        "`optim.all` feeds every phase; `optim.<phase>` states what differs there.\n",
        _table(map(_row, sections.ENTRY.options)),
        "`optim.<phase>.parts` maps a part of the model to what differs for it:\n",
        _table(map(_row, sections.PART.options)),
        "## A slot filled from a finished run\n",
        "Instead of a component, a slot of the model may take part of a finished run:\n",
        _table(map(_row, sections.RUN_PART.options)),
    ]
    return "\n".join(blocks)


def _section(section: Section, path: str) -> Iterator[str]:
    yield f"## `{path}`\n"
    yield f"{section.doc[0].upper()}{section.doc[1:]}{'; none unless it is written' if section.nullable else ''}.\n"
    rows = [*map(_row, section.options), *map(_row, section.slots), *map(_row, section.sections)]
    if rows:
        yield _table(iter(rows))
    for inner in section.sections:
        yield from _section(inner, f"{path}.{inner.name}")


def _field(section: Section, name: str) -> OptionSpec | SlotSpec | Section:
    return next(one for one in (*section.options, *section.slots, *section.sections) if one.name == name)


def _row(field: OptionSpec | SlotSpec | Section) -> tuple[str, str, str, str]:
    if isinstance(field, Section):
        return f"`{field.name}`", "a section", "null" if field.nullable else "", field.doc
    default = "required" if field.required else show(field.default) if field.default not in ({}, []) else "none"
    if isinstance(field, OptionSpec):
        return f"`{field.name}`", ", ".join(filter(None, (field.wants, field.allowed))), default, field.doc
    wants = f"{plural(field.kind)}{', each under a label' if field.labelled else ''}"
    return f"`{field.name}`", wants if field.many or field.labelled else field.kind, default, field.doc


def _table(rows: Iterator[tuple[str, ...]]) -> str:
    lines = ["| key | takes | default | meaning |", "|---|---|---|---|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def main() -> int:
    for path, text in pages().items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"{path}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
