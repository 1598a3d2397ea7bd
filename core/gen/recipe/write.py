"""A resolved recipe as YAML that reads back to the same values."""

from __future__ import annotations

import re
from typing import Any

from gen.recipe.scalars import resolve

__all__ = ["scalar_text", "to_yaml"]

MOST_WIDE = 100
"""Longer lists go one item to a line: the reader bounds the column where a value starts."""

_PLAIN = re.compile(r"[A-Za-z0-9_./-][A-Za-z0-9_./ +-]*(?<! )")


def to_yaml(config: dict[str, Any]) -> str:
    """Block style, short lists of scalars on one line."""
    return "\n".join(_mapping(config, "")) + "\n"


def _mapping(mapping: dict[str, Any], indent: str) -> list[str]:
    lines = []
    for name, value in mapping.items():
        key = f"{indent}{scalar_text(name)}:"
        lines += [f"{key} {_flat(value)}"] if _is_flat(value) else [key, *_block(value, indent + "  ")]
    return lines


def _block(value: Any, indent: str) -> list[str]:
    if isinstance(value, dict):
        return _mapping(value, indent)
    lines = []
    for item in value:
        first, *rest = [f"{indent}  {_flat(item)}"] if _is_flat(item) else _block(item, indent + "  ")
        lines += [f"{indent}- {first.lstrip()}", *rest]
    return lines


def _is_flat(value: Any) -> bool:
    if isinstance(value, dict):
        return not value
    if not isinstance(value, list):
        return True
    return not any(isinstance(item, (dict, list)) for item in value) and len(_flat(value)) <= MOST_WIDE


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list):
        return "[" + ", ".join(map(scalar_text, value)) + "]"
    return scalar_text(value)


def scalar_text(value: Any) -> str:
    """A scalar as YAML 1.2 reads it back; text that could mean something else is quoted."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "true" if value else "false"
    if not isinstance(value, str):
        text = f"{value!r}"
        return text if "." in text else text.replace("e", ".0e")  # 1e-08 is text to readers of YAML 1.1
    if _PLAIN.fullmatch(value) and not value.startswith(("-", "---", "...")) and resolve(value) == value:
        return value
    return f'"{"".join(map(_escaped, value))}"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    if letter.isprintable():
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
