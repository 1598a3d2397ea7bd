"""Fills in what a mask leaves unknown."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from gen.component import component, option
from gen.errors import GenError, ShapeError
from gen.types import DataSpec, Given
from gen_diffusion.tasks.given import taken
from gen_diffusion.tasks.restoration import Known, Restoration

__all__ = ["Inpaint"]


@component
class Inpaint(Restoration):
    """Draws the unknown values given the known ones, which stay as they are; a mask is 1 where x is known.

    By RePaint's replacement (Lugmayr et al. 2022, arXiv:2201.09865) or DDNM's projection (Wang et al. 2022).
    """

    given = ("x", "mask")
    example: ClassVar[dict[str, Any]] = {"steps": 12, "stretch": 4}
    method: str = option(
        "replacement",
        choices=("projection", "replacement"),
        doc="what is held to the known values: the estimate, or x_noisy",
    )
    repeats: int = option(5, min=1, max=10_000, doc="times every stretch is walked; more agree better, and cost")
    mask: str = option("centre", doc="what is known where nobody says: half, centre (all around it) or random:SHARE")

    def known(self, data: DataSpec, given: Given | None, n: int) -> Known:
        x = taken(self, given, data.shape, n)
        if given is None or given.mask is None:
            raise GenError(
                "Inpaint needs a mask as well: give it Given(x=…, mask=…) with 1 where x is known, 0 elsewhere"
            )
        try:
            mask = given.mask[torch.arange(n) % len(given.mask)].expand_as(x) > 0.5  # [n, *shape]
        except (RuntimeError, IndexError) as error:
            there = tuple(given.mask.shape[1:])
            raise ShapeError(
                f"Inpaint was given a mask of {there}; it takes {data.shape}, or 1 channel of it"
            ) from error
        low, high = data.domain.range
        part = torch.where(mask, x, 0.0)
        seen = torch.where(mask, x, (low + high) / 2)
        return Known(part, lambda x: torch.where(mask, x, 0.0), seen, None if given.observed else x)
