"""What a component says of itself: a summary, its options, and that both mean what they say."""

from __future__ import annotations

import json
from typing import Any

import attrs

from gen.errors import OptionError
from gen.spec import OptionSpec
from gen_sdk.checks.check import check, expect
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS"]

LONGEST = 120


def _has_options(subject: Subject) -> str:
    return "" if subject.spec.options else "it has no options"


@check(tier="bronze", hint="begin the class's docstring with one line of at most 120 letters that ends in a full stop")
def says_what_it_is(subject: Subject) -> None:
    """The summary is one line of at most 120 letters and a full stop; every option and slot says what it is."""
    summary = subject.spec.summary
    expect(0 < len(summary) <= LONGEST, f"the summary has {len(summary)} letters")
    expect(summary.endswith("."), f'the summary ends in "{summary[-12:]}"')
    mute = [option.name for option in subject.spec.options if not option.doc.strip() or "\n" in option.doc]
    expect(not mute, f"these options have no doc of one line: {', '.join(mute)}")


@check(tier="bronze", hint="leave options as they were given: keep what build() works out in attributes of other names")
def options_round_trip(subject: Subject) -> None:
    """An instance's options are those it was given, survive JSON, and make an instance with the same options."""
    part = subject.make()
    found = {option.name: getattr(part, option.name) for option in subject.spec.options}
    given = {**{o.name: o.default for o in subject.spec.options}, **subject.spec.example}
    for option in subject.spec.options:
        wanted = option.convert(given[option.name])
        value = found[option.name]
        expect(value == wanted, f"the option {option.name} was {wanted!r} and reads {value!r} after building")
    again = type(part)(**{**_fields(part), **json.loads(json.dumps(found))})
    other = {name: getattr(again, name) for name in found}
    expect(other == found, f"rebuilt from its own options it has {other}, not {found}")


@check(tier="bronze", hint="let @component make __init__: take no **kwargs of your own")
def unknown_options_are_refused(subject: Subject) -> None:
    """An option that the class does not have is refused when it is built in Python."""
    part = subject.make()
    try:
        type(part)(**_fields(part), no_such_option=1)
    except TypeError as error:
        expect("no_such_option" in str(error), f"the refusal does not name the option: {error}")
        return
    expect(False, "an option that does not exist is accepted")


@check(
    tier="bronze",
    applies=_has_options,
    hint="state types and bounds in option(…), where they are checked, and do not replace the converter",
)
def options_out_of_bounds_are_refused(subject: Subject) -> None:
    """A value of the wrong type or outside an option's bounds is refused with a message that names the option."""
    part = subject.make()
    for option in subject.spec.options:
        for wrong in _wrong(option):
            try:
                type(part)(**{**_fields(part), option.name: wrong})
            except OptionError as error:
                expect(option.name in str(error), f"the refusal of {option.name}={wrong!r} does not name it: {error}")
            else:
                expect(False, f"{option.name}={wrong!r} is accepted")


def _fields(part: Any) -> dict[str, Any]:
    """What an instance was built from: options, parts in its slots, wired values."""
    return {field.name: getattr(part, field.name) for field in attrs.fields(type(part))}


def _wrong(option: OptionSpec) -> list[Any]:
    """Values that an option must not take: another type, and just outside each bound."""
    step = 1 if option.type == "int" else 1e-3
    outside = [
        *([option.min - step] if option.min is not None else []),
        *([option.max + max(step, abs(option.max) * 1e-3)] if option.max is not None else []),
        *([option.above] if option.above is not None else []),
        *([option.below] if option.below is not None else []),
    ]
    values: list[Any] = [int(v) if option.type == "int" else float(v) for v in outside]
    if option.choices is not None:
        values = ["no such choice" if option.type == "str" else -12345]
    return [{}, *([value] * (option.length or 1) if option.many else value for value in values)]


CHECKS = (says_what_it_is, options_round_trip, unknown_options_are_refused, options_out_of_bounds_are_refused)
