"""Plain scalars mean what the core schema of YAML 1.2 says, not what PyYAML makes of them."""

from __future__ import annotations

import pytest

from gen.recipe.scalars import ABSURD, resolve

MEANINGS = {
    **{"1e-3": 1e-3, "1E5": 1e5, "1.": 1.0, ".5": 0.5, "-.5e+1": -5.0, "+1.5": 1.5, "0.0": 0.0, "0e5": 0.0},
    **{"17": 17, "017": 17, "-3": -3, "+3": 3, "0o17": 15, "0x1F": 31, "9223372036854775807": 2**63 - 1},
    **{"": None, "~": None, "null": None, "Null": None, "NULL": None},
    **{"true": True, "False": False, "TRUE": True},
    **{
        word: word
        for word in ("no", "on", "yes", "Off", "y", "nULL", "tRUE", "1_000", "1:30", "12:30:00", "2026-01-01")
    },
    **{word: word for word in ("0b11", "1e", "e3", "--1", "1.2.3", "0o8", "inf", "nan", "=", "²", "١")},
    **dict.fromkeys((".nan", ".NaN", ".inf", "-.Inf", "+.INF", "1e999", "-1e999", "1e-999"), ABSURD),
    **dict.fromkeys(("9" * 5000, "9223372036854775808", "-9223372036854775809", "0x" + "f" * 17), ABSURD),
}


@pytest.mark.parametrize("text", MEANINGS, ids=lambda text: repr(text[:20]))
def test_scalar_means(text):
    value = resolve(text)

    assert (type(value), value) == (type(MEANINGS[text]), MEANINGS[text])
