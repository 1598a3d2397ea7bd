"""Sharpens images that a Gaussian blur has softened."""

from __future__ import annotations

from typing import Any, ClassVar

from gen.component import component, option
from gen.types import DataSpec, Given
from gen_diffusion.tasks.given import spatial, taken
from gen_diffusion.tasks.linear import blurring
from gen_diffusion.tasks.restoration import Known, Restoration

__all__ = ["Deblur"]


@component
class Deblur(Restoration):
    """Draws images that, blurred, are the one given (Wang et al. 2022, arXiv:2212.00490).

    Held-out samples are blurred first; images of the user's own (`Given(observed=True)`) are taken as blurred.
    """

    example: ClassVar[dict[str, Any]] = {"steps": 12, "stretch": 4}
    radius: float = option(1.5, min=0.2, max=100, doc="standard deviation of the blur, in pixels")
    floor: float = option(
        0.05, min=1e-4, max=1, doc="patterns that the blur weakens below this share are left to the model"
    )

    def known(self, data: DataSpec, given: Given | None, n: int) -> Known:
        x, (height, width) = taken(self, given, data.shape, n), spatial("Deblur", data.shape)
        blur = blurring(height, width, self.radius, self.floor).like(x)
        observed = given is not None and given.observed
        seen = x if observed else blur(x)
        return Known(blur.inverse(seen), blur.project, seen, None if observed else x)
