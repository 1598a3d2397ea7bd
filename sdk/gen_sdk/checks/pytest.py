"""The same checks under pytest, one test per component and check:

from gen_sdk.checks.pytest import parametrize_checks

test_conformance = parametrize_checks("mine", tier="silver")
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gen_sdk.checks.check import Check
from gen_sdk.checks.report import Result, chosen, perform, shortfall
from gen_sdk.checks.subject import Subject
from gen_sdk.checks.table import CHECKS, minimum
from gen_sdk.checks.targets import subjects

__all__ = ["parametrize_checks"]


def parametrize_checks(target: str, tier: str = "silver") -> Callable[..., None]:
    """A test function with a case for every component of a target and every check of the tier that applies to it.

    An excused check is an expected failure; one that passes fails. One whose files are not here is skipped. The last
    case of a component, `minimum`, holds that enough checks ran. Bind it to a name that starts with `test_`.

    Args:
        target: a namespace, a component's name, or the path of a one-file plugin.
        tier: bronze, silver or gold.
    """
    done: dict[tuple[str, str], Result] = {}

    def result(subject: Subject, check: Check) -> Result:
        key = subject.name, check.id
        if key not in done:
            done[key] = perform(subject, check)
        return done[key]

    cases: list[Any] = []
    for subject in subjects(target):
        checks = chosen(subject, tier)
        shown = [check for check in checks if not check.absent(subject) or check.id in subject.spec.excused]
        cases += [pytest.param(subject, check, id=f"{subject.name}-{check.id}") for check in shown]
        cases.append(pytest.param(subject, None, id=f"{subject.name}-minimum"))

    @pytest.mark.parametrize(("subject", "check"), cases)
    def test(subject: Subject, check: Check | None) -> None:
        if check is None:
            results = [result(subject, one) for one in chosen(subject, tier)]
            unknown = subject.spec.excused.keys() - {one.id for one in CHECKS}
            assert not unknown, f"there is no check {sorted(unknown)} to excuse: strike it from `excused`"
            _hold(*shortfall(subject, results, minimum(subject.spec, tier)))
        else:
            _hold(result(subject, check))

    return test


def _hold(*results: Result) -> None:
    for result in results:
        if result.outcome == "failed":
            pytest.fail(f"{result.said}\n   cure: {result.hint} ({result.page})", pytrace=False)
        if result.outcome == "excused":
            pytest.xfail(result.said)
        if result.outcome in ("not applicable", "not here"):
            pytest.skip(f"{result.outcome}: {result.said}")
