"""What metrics that compare generated samples with real ones by their features have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from gen.component import interface, slot
from gen.interfaces import Extractor, Metric
from gen.types import Shapes

__all__ = ["ComparedByFeatures"]


@interface
class ComparedByFeatures(Metric):
    """A metric over two sets of features; what derives from it only measures."""

    draws: ClassVar[bool] = True
    features: Extractor = slot(default="metrics/random-features", doc="x to the features that are compared")

    @classmethod
    def wire(cls, given: Shapes, **_: Any) -> Mapping[str, Shapes]:
        return {"features": given}
