"""Examining a plugin, a component or a file: every check of a tier on every component, and a report of what came out.

A check passes, fails, is excused (its component says why, and it does fail), is not applicable, or not here: this
machine lacks a compiler, or files that no package ships and that the component declares. An excuse for a check that
passes fails, and so does a component on which fewer checks ran than its kind's minimum, unless its files are not here.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import attrs

from gen.errors import CommandError, DataError, did_you_mean
from gen.plugins import Catalogue
from gen_sdk.checks.check import TIERS, Check, Failure, NotApplicable, NotHere
from gen_sdk.checks.here import missing
from gen_sdk.checks.subject import Subject
from gen_sdk.checks.table import CHECKS, minimum
from gen_sdk.checks.targets import subjects

__all__ = ["Examined", "Outcome", "Report", "Result", "chosen", "examine", "perform", "shortfall"]

Outcome = Literal["passed", "failed", "excused", "not applicable", "not here"]
FORMAT = 1


@attrs.frozen
class Result:
    """What came of one check on one component; `said` is what was observed, or the reason."""

    check: str
    outcome: Outcome
    said: str = ""
    hint: str = ""
    page: str = ""
    tier: str = ""
    seconds: float = 0.0


@attrs.frozen
class Examined:
    """One component: its results, and the least number of checks that its kind runs."""

    name: str
    kind: str
    results: tuple[Result, ...]
    minimum: int

    def of(self, outcome: Outcome) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.outcome == outcome)

    @property
    def ran(self) -> int:
        return len(self.of("passed")) + len(self.of("failed"))

    @property
    def ok(self) -> bool:
        return not self.of("failed")


@attrs.frozen
class Report:
    """What an examination found."""

    target: str
    tier: str
    components: tuple[Examined, ...]

    @property
    def ok(self) -> bool:
        return all(one.ok for one in self.components)

    def counts(self) -> dict[str, int]:
        """How many checks ran (passed or failed), were not applicable, not here, excused, failed."""
        found = Counter(result.outcome for one in self.components for result in one.results)
        return {
            "ran": found["passed"] + found["failed"],
            "not_applicable": found["not applicable"],
            "not_here": found["not here"],
            "excused": found["excused"],
            "failed": found["failed"],
        }

    def to_json(self) -> str:
        """The report for programs; a later version adds keys, and changes `format` where it changes one."""
        record = {
            "format": FORMAT,
            "target": self.target,
            "tier": self.tier,
            "ok": self.ok,
            "counts": self.counts(),
            "components": [
                {
                    "name": one.name,
                    "kind": one.kind,
                    "ok": one.ok,
                    "ran": one.ran,
                    "minimum": one.minimum,
                    "checks": [attrs.asdict(result) for result in one.results],
                }
                for one in self.components
            ],
        }
        return json.dumps(record, indent=1, ensure_ascii=False)

    def text(self) -> str:
        """The report for people: a line per component, and below it what failed, was excused or did not apply."""
        lines = [line for one in self.components for line in _lines(one)]
        counts = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in self.counts().items())
        seconds = sum(result.seconds for one in self.components for result in one.results)
        verdict = "passes" if self.ok else "does not pass"
        return "\n".join([*lines, "", f"{self.target} {verdict} {self.tier}: {counts} ({seconds:.0f} s)"])


def _lines(one: Examined) -> Iterator[str]:
    missed, absent, excused, failed = (one.of(o) for o in ("not applicable", "not here", "excused", "failed"))
    yield (
        f"{one.name}  ({one.kind})  {one.ran} ran, {len(missed)} not applicable, {len(absent)} not here, "
        f"{len(excused)} excused, {len(failed)} failed"
    )
    for result in failed:
        yield f"   failed {result.check}: {result.said}"
        yield f"      cure: {result.hint} ({result.page})"
    for result in excused:
        yield f"   excused {result.check}: {result.said}"
    reasons: dict[str, list[str]] = {}
    for result in (*absent, *missed):
        reasons.setdefault(f"{result.outcome} ({result.said})", []).append(result.check)
    for reason, names in reasons.items():
        yield f"   {reason}: {', '.join(names)}"


def examine(target: str, tier: str = "silver", known: Catalogue | None = None) -> Report:
    """Runs every check of the tier on every component of the target.

    Raises:
        CommandError: nothing is called so, or there is no such tier.
        PluginError: the plugin is not usable.
    """
    if tier not in TIERS:
        raise CommandError(f'there is no tier "{tier}": {", ".join(TIERS)}')
    return Report(target, tier, tuple(_examined(subject, tier) for subject in subjects(target, known)))


def _examined(subject: Subject, tier: str) -> Examined:
    results = [perform(subject, check) for check in chosen(subject, tier)]
    results += [_unknown(id) for id in subject.spec.excused if id not in {check.id for check in CHECKS}]
    least = minimum(subject.spec, tier)
    short = shortfall(subject, results, least)
    return Examined(subject.name, subject.spec.kind, (*results, *short), least)


def chosen(subject: Subject, tier: str) -> list[Check]:
    """The checks of a tier that are meant for the kind of the component."""
    kind = subject.spec.kind
    return [check for check in CHECKS if check.within(tier) and (not check.kinds or kind in check.kinds)]


def shortfall(subject: Subject, results: list[Result], least: int) -> list[Result]:
    """A failure, where fewer checks ran than the kind's minimum, for want of anything but files."""
    ran = sum(result.outcome in ("passed", "failed") for result in results)
    if ran >= least or missing(subject):
        return []
    said = f"{ran} checks ran, a {subject.spec.kind} runs at least {least}"
    hint = "declare traits and an example that let more of the checks run, and excuse fewer"
    return [Result("minimum", "failed", said, hint, "docs/checks.md")]


def _unknown(id: str) -> Result:
    near = did_you_mean(id, [check.id for check in CHECKS])
    return Result("excused", "failed", f'there is no check "{id}" to excuse: {near}', "strike it from `excused`")


def perform(subject: Subject, check: Check) -> Result:
    """Runs one check, its excuse taken into account; whatever the component raises is a failure."""
    excuse = subject.spec.excused.get(check.id)
    start = time.perf_counter()
    outcome, said = _outcome(subject, check)
    if excuse is not None and outcome == "failed":
        outcome, said = "excused", f"{excuse} ({said})"
    elif excuse is not None and outcome != "not here":
        was = "passes" if outcome == "passed" else "does not apply"
        outcome, said = "failed", f"it is excused and {was}: strike it from `excused`"
    return Result(check.id, outcome, said, check.hint, check.page, check.tier, round(time.perf_counter() - start, 4))


def _outcome(subject: Subject, check: Check) -> tuple[Outcome, str]:
    reason = check.absent(subject)
    if reason:
        return "not applicable", reason
    try:
        check.run(subject)
    except NotApplicable as error:
        return "not applicable", str(error)
    except NotHere as error:
        return "not here", str(error)
    except Failure as error:
        return "failed", str(error)
    except DataError as error:
        files = missing(subject)
        return ("not here", files) if files else ("failed", _raised(error))
    except (Exception, SystemExit) as error:
        return "failed", _raised(error)
    return "passed", ""


def _raised(error: BaseException) -> str:
    """`raised ValueError: … (net.py, line 12)`."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    theirs = [f for f in frames if "gen_sdk" not in f.filename and "/torch/" not in f.filename] or frames
    place = f"{Path(theirs[-1].filename).name}, line {theirs[-1].lineno}"
    text = str(error).strip().partition("\n")[0]
    return f"raised {type(error).__name__}: {text} ({place})"
