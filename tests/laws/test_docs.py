"""What the documents say can be done: links lead somewhere, recipes named are shipped, recipes shown are valid."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from gen import registry
from gen.cli import COMMANDS, added
from gen.cli.arguments import Parser
from gen.errors import CommandError, GenError
from gen.plugins import catalogue
from gen.recipe.recipe import Recipe

ROOT = registry.checkout_file().parent
FENCE = re.compile(r"^( *)(```+|~~~+) *([\w-]*)[^\n]*\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
LINK = re.compile(
    r"\[[^\]]*\]\(<?([^)\s>]+)>?(?: +\"[^\"]*\")?\)|^\[[^\]]+\]: +(\S+)|<(?:img|a)\b[^>]*?(?:src|href)=\"([^\"]+)\"",
    re.M,
)
SHELLS = ("sh", "bash", "console")
NAMED = re.compile(r"\bgen (?:run|plan|validate|cat|cp) +(?:--smoke +)?([a-z0-9][a-z0-9/-]*)(?![\w./*-])")


@attrs.frozen
class Document:
    """A Markdown file: its prose without code, and its pieces of code with language and line."""

    path: Path
    prose: str
    code: tuple[tuple[str, int, str], ...]

    def __str__(self) -> str:
        return self.path.relative_to(ROOT).as_posix()


def read(path: Path) -> Document:
    text = path.read_text(encoding="utf-8")
    fences = [(match[3], _line(text, match.start(4)), match[4]) for match in FENCE.finditer(text)]
    rest = FENCE.sub(_blank, text)
    spans = [("", _line(rest, match.start(2)), match[2]) for match in SPAN.finditer(rest)]
    return Document(path, SPAN.sub(_blank, rest), (*fences, *spans))


def documents() -> Iterator[Document]:
    for pattern in ("*.md", "core/*.md", "sdk/*.md", "plugins/*/*.md", "docs/**/*.md", "benchmarks/**/*.md"):
        yield from (read(path) for path in sorted(ROOT.glob(pattern)))


def _blank(match: re.Match[str]) -> str:
    """As many empty lines as the match has, so that line numbers stay right."""
    return "\n" * match[0].count("\n")


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


DOCUMENTS = list(documents())


@pytest.mark.parametrize(
    "folder", [".", "core", "sdk", *sorted(p.parent.name for p in ROOT.glob("plugins/*/pyproject.toml"))]
)
def test_every_package_has_a_readme(folder: str) -> None:
    place = ROOT / folder if (ROOT / folder).is_dir() else ROOT / "plugins" / folder

    assert (place / "README.md").is_file(), f"write {place.relative_to(ROOT) / 'README.md'}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_a_relative_link_leads_to_a_file_of_this_checkout(document: Document) -> None:
    wrong = []
    for match in LINK.finditer(document.prose):
        target, _, heading = next(found for found in match.groups() if found).partition("#")
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        path = (document.path.parent / target).resolve() if target else document.path
        place = f"{document}:{_line(document.prose, match.start())}"
        if ROOT not in path.parents or not path.exists():
            wrong.append(f"{place} {target}: no such file in this checkout")
        elif heading and path.suffix == ".md" and heading not in _headings(path):
            wrong.append(f"{place} {target}#{heading}: no such heading")

    assert not wrong, "mend the links:\n" + "\n".join(wrong)


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_a_recipe_named_in_a_command_is_shipped(document: Document) -> None:
    found = [(line, match[1]) for _, line, code in document.code for match in NAMED.finditer(code)]
    wrong = [f"{document}:{line} {name}" for line, name in found if catalogue().recipe(name) is None]

    assert not wrong, f"no plugin ships these recipes; see gen ls recipes:\n{wrong}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_a_recipe_shown_is_valid(document: Document, tmp_path: Path) -> None:
    wrong = []
    for number, (language, line, code) in enumerate(document.code):
        if language in ("yaml", "yml") and re.match(r"(\s*#[^\n]*\n)*gen: 1\b", code):
            path = tmp_path / f"recipe-{number}.yaml"
            path.write_text(code, encoding="utf-8")
            try:
                Recipe.read(path)
            except GenError as error:
                wrong.append(f"{document}:{line}\n{error}")

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_a_command_shown_in_a_shell_is_one_that_gen_takes(document: Document) -> None:
    wrong = []
    for language, line, code in document.code:
        for words in _commands(code) if language in SHELLS else ():
            try:
                _parse(words)
            except GenError as error:
                wrong.append(f"{document}:{line} {' '.join(words)}\n{error}")

    assert not wrong, "\n".join(wrong)


def _commands(code: str) -> Iterator[list[str]]:
    """The command lines of gen in a piece of shell, each without comment, redirection and what follows a pipe."""
    for line in code.replace("\\\n", " ").splitlines():
        for command in re.split(r"&&|;|\|", line.strip().removeprefix("$ ")):
            words = shlex.split(command.partition(">")[0], comments=True)
            if words and words[0] == "gen":
                yield words[1:]


def _parse(words: list[str]) -> None:
    """Reads a command line as gen does, and carries nothing out."""
    name, *rest = words
    if name not in COMMANDS and not added.offers(name):
        raise CommandError(f"there is no command gen {name}")
    command = importlib.import_module(COMMANDS[name][1]) if name in COMMANDS else added.load(name)[1]
    actions = getattr(command, "ACTIONS", None)
    if actions is not None:
        action, *rest = rest or [""]
        if action not in actions:
            raise CommandError(f"there is no action gen {name} {action}")
        command = importlib.import_module(actions[action][1])
    parser = Parser(prog=f"gen {name}", description="")
    command.add(parser)
    parser.parse(rest)


def test_the_laws_above_find_what_they_look_for(tmp_path: Path) -> None:
    path = tmp_path / "some.md"
    path.write_text(
        "# A *b* `c`\n[x](y.md#z) `[no](link)` and `gen run vae-digits`, gen run prose, `gen run mine.yaml`,\n"
        '<img src="p.png">\n```yaml\ngen: 1\n```\n```sh\ngen run a-b --quiet\ngen cp ns/c d.yaml\n```\n'
    )
    document = read(path)

    assert [next(filter(None, match.groups())) for match in LINK.finditer(document.prose)] == ["y.md#z", "p.png"]
    assert {match[1] for _, _, code in document.code for match in NAMED.finditer(code)} == {"vae-digits", "a-b", "ns/c"}
    assert [(language, line, code) for language, line, code in document.code if language == "yaml"] == [
        ("yaml", 5, "gen: 1\n")
    ]
    assert _headings(path) == {"a-b-c"}
    shell = "$ gen run a.yaml x.y=1 --quiet  # trains\npip install x && gen plugin lost NAME | less\n"
    assert [*_commands(shell)] == [["run", "a.yaml", "x.y=1", "--quiet"], ["plugin", "lost", "NAME"]]
    with pytest.raises(GenError, match="there is no action gen plugin lost"):
        _parse(["plugin", "lost", "NAME"])
    with pytest.raises(GenError, match="there is no such flag"):
        _parse(["run", "a.yaml", "--quit"])


def _headings(path: Path) -> set[str]:
    """The anchors of a document, made as GitHub makes them."""
    text = FENCE.sub(_blank, path.read_text(encoding="utf-8"))
    titles = re.findall(r"^#{1,6} +(.+?) *#*$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}
