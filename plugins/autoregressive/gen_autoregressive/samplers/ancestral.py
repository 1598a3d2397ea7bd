"""New samples of an autoregressive model, value by value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gen.component import component, option
from gen.interfaces import Sampler
from gen.types import Given
from gen_autoregressive.choosing import How
from gen_autoregressive.samplers.completing import completed

__all__ = ["Ancestral"]


@component
class Ancestral(Sampler):
    """New samples: each value drawn given those before it, in raster order."""

    needs = ("complete",)
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
        like = next(model.parameters())
        nothing = like.new_zeros(n, *model.data.shape)  # [n, C, H, W]: no value is known
        how = How(self.temperature, self.top_k, self.top_p, self.cached, observe)
        return completed("autoregressive/ancestral", model, nothing, nothing, cond, rng, how)
