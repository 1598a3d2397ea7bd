"""A learning-rate schedule: a factor as a function of progress, the share of the run that is done.

Half a cosine from 1 to `to`, over and over (Loshchilov and Hutter 2017, SGDR, arXiv:1608.03983).
"""

from __future__ import annotations

import math

from gen.component import component, option
from gen.interfaces import LRSchedule

__all__ = ["Restarts"]


@component
class Restarts(LRSchedule):
    """Half a cosine from 1 to `to`, begun anew several times."""

    cycles: int = option(3, min=1, max=10_000, doc="how often the rate starts from 1, all as long")
    to: float = option(0.0, min=0, max=1, doc="the factor at the end of each cycle")

    def factor(self, progress: float) -> float:
        """A pure function: a resumed run needs no state."""
        place = progress * self.cycles
        within = place - math.floor(place) if progress < 1 else 1.0  # the run ends at the end of a cycle
        return self.to + (1.0 - self.to) * 0.5 * (1.0 + math.cos(math.pi * within))
