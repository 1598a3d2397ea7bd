"""The page of checks, made from the table: `python -m gen_sdk.checks.page docs/checks.md` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from gen_sdk.checks.check import TIERS, Check
from gen_sdk.checks.table import CHECKS

__all__ = ["page"]

HEAD = """\
# The checks

`gen plugin check TARGET --tier silver` puts every component of a plugin through the checks below, chosen by its kind
and by what it declares, never by its name; `parametrize_checks("NAMESPACE")` does the same under pytest. TARGET is a
namespace, one component, or a plugin's one file. A tier holds the checks of those before it: bronze says that a
component can be used, silver that it can be trusted, gold what takes minutes to find out.

A component may be excused from a check by the class attribute `excused = {"check-id": "reason"}`; an excuse for a
check that passes fails. Traits (`traits`) choose checks, and `example` gives options and slots of a small instance. A
component on which fewer checks ran than its kind's minimum fails.

A data set that reads files writes small ones itself, in a class method `example_data(root)`. A data set or an extractor
that needs published files declares them, `traits = {"files": "what it needs"}`: where they are missing, checks are "not
here", listed and counted, and the minimum is waived. So is a check that needs a compiler, where there is none. The
faults that show what each check is worth stand in gen-sdk's README.

This page is generated: `python -m gen_sdk.checks.page docs/checks.md`.
"""


def page() -> str:
    """The page as Markdown: a list of all checks, then a section with an anchor for each."""
    return "\n".join([HEAD, *_lists(), *(line for check in CHECKS for line in _section(check))]).rstrip() + "\n"


def _lists() -> Iterator[str]:
    """A table per tier."""
    for tier in TIERS:
        checks = [check for check in CHECKS if check.tier == tier]
        yield f"## {tier.capitalize()}: {len(checks)} checks\n"
        yield "| check | for | holds |\n|---|---|---|"
        yield from (f"| [{one.id}](#{one.id}) | {_kinds(one)} | {one.meaning} |" for one in checks)
        yield ""


def _section(check: Check) -> Iterator[str]:
    yield f'<a id="{check.id}"></a>\n\n### {check.id}\n'
    yield f"{check.meaning}\n"
    yield f"Where it fails: {check.hint}. ({check.tier.capitalize()}; {_kinds(check)}.)\n"


def _kinds(check: Check) -> str:
    return ", ".join(check.kinds) or "every kind"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
