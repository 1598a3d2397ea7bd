"""Learning-rate schedules: factors as pure functions of progress, so that a resumed or extended run needs no state."""

from __future__ import annotations

import math

from gen.component import component, option
from gen.interfaces import LRSchedule

__all__ = ["Constant", "Cosine", "Linear", "Step", "factor_at"]


@component
class Constant(LRSchedule):
    """The learning rate as given."""

    def factor(self, progress: float) -> float:
        return 1.0


@component
class Linear(LRSchedule):
    """A straight line from 1 to `to`, from the share `start` of the run on."""

    to: float = option(0.0, min=0, doc="the factor at the end")
    start: float = option(0.0, min=0, below=1, doc="share of the run at which the line begins (0.5: second half)")

    def factor(self, progress: float) -> float:
        return 1.0 + (self.to - 1.0) * max(0.0, progress - self.start) / (1.0 - self.start)


@component
class Cosine(LRSchedule):
    """Half a cosine from 1 to `to` (Loshchilov and Hutter 2017, arXiv:1608.03983)."""

    to: float = option(0.0, min=0, doc="the factor at the end")

    def factor(self, progress: float) -> float:
        return self.to + (1.0 - self.to) * 0.5 * (1.0 + math.cos(math.pi * progress))


@component
class Step(LRSchedule):
    """Multiplied by `gamma` at each of the given shares of the run."""

    at: tuple[float, ...] = option((0.5, 0.75), min=0, max=1, doc="shares of the run")
    gamma: float = option(0.1, above=0, doc="what the rate is multiplied by")

    def factor(self, progress: float) -> float:
        return self.gamma ** sum(progress >= share for share in self.at)


def factor_at(schedule: LRSchedule, step: int, steps: int) -> float:
    """The factor of `schedule` at `step` of `steps`, its warm-up included."""
    if step < schedule.warmup:
        return (step + 1) / schedule.warmup
    return schedule.factor((step - schedule.warmup) / max(1, steps - schedule.warmup))
