"""Completions of images of which a part is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gen.component import component, option
from gen.errors import GenError
from gen.interfaces import Sampler
from gen.types import Given
from gen_autoregressive.choosing import How
from gen_autoregressive.samplers.completing import completed

__all__ = ["Complete"]


@component
class Complete(Sampler):
    """Completions of given images, several of each: known pixels stay, the others are drawn.

    Sample i completes the image i modulo the number of images. Pictures show an image, what is known of it, and below
    that its completions; 12, 24, 36 … images fill whole rows.
    """

    needs = ("complete",)
    given = ("x", "mask")
    completions: int = option(1, min=1, max=10_000, doc="completions of each image")
    mask: str = option(
        "half", doc="what is known: half (the upper), centre (all around it), random:SHARE, or a picture"
    )
    temperature: float = option(1.0, min=0.01, max=100, doc="chances are raised to the power 1/temperature")
    top_k: int = option(0, min=0, max=65_536, doc="draw among the k likeliest levels alone; 0: among all")
    top_p: float = option(1.0, above=0, max=1, doc="draw among the fewest likeliest levels that have this chance")
    cached: bool = option(True, doc="remember what was computed; false: a full pass for every value (to compare)")

    @torch.no_grad()
    def sample(
        self,
        model: Any,
        n: int,
        *,
        rng: torch.Generator,
        cond: Tensor | None = None,
        given: Given | None = None,
        observe: Callable[[int, int, Tensor], None] | None = None,
    ) -> Tensor:
        if given is None or given.x is None or given.mask is None:
            raise GenError("autoregressive/complete starts from images and masks: hand it given=Given(x=…, mask=…)")
        index = torch.arange(n, device=given.x.device) % self._images(n, given.x)  # [n]
        cond = None if cond is None else cond[index]  # the label belongs to the image
        how = How(self.temperature, self.top_k, self.top_p, self.cached, observe)
        return completed("autoregressive/complete", model, given.x[index], _mask(given)[index], cond, rng, how)

    def rows(self, model: Any, x: Tensor, given: Given | None) -> list[Tensor]:
        """The images, what is known of them, and their completions, a row for each."""
        assert given is not None, "samples were drawn from something"
        assert given.x is not None, "samples were drawn from images"
        count = self._images(len(x), given.x)
        images = given.x[:count]
        known = torch.where(_mask(given)[:count].bool(), images, torch.zeros_like(images))
        return [images, known, *x[: len(x) - len(x) % count].split(count)]

    def _images(self, n: int, x: Tensor) -> int:
        """How many of the given images n samples complete."""
        return min(len(x), -(-n // self.completions))


def _mask(given: Given) -> Tensor:
    """1 where a value is known: [n, C, H, W], for each sample, or one mask for all images."""
    assert given.x is not None, "asked after the check"
    assert given.mask is not None, "asked after the check"
    rows = len(given.x) if len(given.mask) == 1 else len(given.mask)
    return given.mask.expand(rows, *given.x.shape[1:])
