"""What the tests of the kinds share: a check's verdict on a sound component in which a fault is planted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gen.component import describe
from gen_sdk.checks.check import Check
from gen_sdk.checks.report import Result, perform
from gen_sdk.checks.subject import Subject


@pytest.fixture
def verdict() -> Callable[..., Result]:
    """What a check says of a component class, some of whose attributes are replaced by `changes`."""

    def examine(check: Check, sound: type, **changes: Any) -> Result:
        cls = type(f"Planted{sound.__name__}", (sound,), {"__doc__": sound.__doc__, **changes})
        return perform(Subject(describe(cls, "local/planted", "planted:Planted"), cls), check)

    return examine
