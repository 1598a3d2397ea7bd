"""What a plain scalar means: the core schema of YAML 1.2, where `1e-3` is a number, `no` is text and `017` is 17."""

from __future__ import annotations

import math
import re
from typing import Any

__all__ = ["ABSURD", "absurd", "bad_character", "resolve"]


class _Absurd:
    def __repr__(self) -> str:
        return "ABSURD"


ABSURD: Any = _Absurd()
"""A number no recipe means: infinite, not a number, beyond 64 bits, or so small that it becomes 0."""

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

# Controls, surrogates, noncharacters and the marks that reorder or hide text.
_BAD = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)


def resolve(text: str) -> Any:
    """The value of a plain scalar: None, a bool, an int, a float, text, or ABSURD."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return ABSURD if len(text) > 40 else absurd(int(text))
    if _BASED.fullmatch(text):
        return ABSURD if len(text) > 40 else absurd(int(text, 0))
    if _SPECIAL.fullmatch(text):
        return ABSURD
    if _FLOAT.fullmatch(text):
        value = float(text)
        vanished = value == 0 and re.search("[1-9]", re.split("[eE]", text)[0])
        return ABSURD if vanished else absurd(value)
    return text


def absurd(value: int | float) -> Any:
    """The number, or ABSURD."""
    if isinstance(value, float):
        return value if math.isfinite(value) else ABSURD
    return value if -(2**63) <= value < 2**63 else ABSURD


def bad_character(text: str) -> re.Match[str] | None:
    """The first character that no recipe may hold, even escaped."""
    return _BAD.search(text)
