"""A YAML syntax error in the words of someone who writes recipes; the same for both of PyYAML's parsers."""

from __future__ import annotations

from typing import Any

import attrs
import yaml

__all__ = ["Told", "explain"]


@attrs.frozen
class Told:
    """Line and column count from 0."""

    message: str
    remedy: str
    line: int
    column: int
    code: str = "yaml"


def explain(error: yaml.YAMLError, lines: list[str]) -> Told:
    """From an error whose marks and wording differ a little between the parsers."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return Told(str(error), "", 0, 0)
    mark: Any = error.problem_mark or error.context_mark
    begin: Any = error.context_mark or mark
    line, column = mark.line, mark.column
    context, problem = error.context or "", error.problem or "it cannot be read"
    if line >= len(lines) and "quoted scalar" not in context and "flow" in context:
        return Told("a list or mapping is never closed", 'add its "]" or "}"', begin.line, begin.column)
    text = lines[line] if line < len(lines) else ""
    letter = text[column : column + 1]
    indent = text[: len(text) - len(text.lstrip())]
    if letter == "\t" or "\t" in indent:
        tab = indent.find("\t")
        return Told("a tab stands where only spaces may", "use spaces", line, column if tab < 0 else tab)
    if "quoted scalar" in context and "end of stream" in problem:
        return Told("this quoted text is never closed", "close it", begin.line, begin.column)
    if "escape" in problem:
        column -= letter != "\\"
        return Told("this escape is unknown", "write \\\\ for a backslash", line, column)
    if "flow sequence" in context or "flow mapping" in context:
        bracket, what = ("]", "list") if "sequence" in context else ("}", "mapping")
        return Told(f'this {what} lacks a "," or its "{bracket}"', "", begin.line, begin.column)
    if "mapping values are not allowed" in problem:
        first = ":" not in text[:column]
        remedy = "line up the keys of one mapping" if first else 'put text that holds ": " in quotes'
        return Told('":" is not allowed here', remedy, line, column)
    if "could not find expected ':'" in problem:
        return Told('a ":" is missing after this key', "write KEY: VALUE", begin.line, begin.column)
    if "cannot start any token" in problem:
        return Told(f'a value cannot start with "{letter}"', "put it in quotes", line, column)
    if "undefined tag handle" in problem:
        return Told("a tag is not allowed", "write the plain value", line, column, "tag")
    if "<document start>" in problem:
        return Told("a recipe is one document, here a second one begins", "", line, column, "documents")
    if "expected <block end>" in problem or "did not find expected" in problem:
        if letter and letter in "]}":
            return Told(f'this "{letter}" closes nothing', "remove it", line, column)
        return Told("this does not fit the lines above", "line up the keys of one mapping", line, column)
    return Told(problem, "", line, column)
