"""Translations of given data, and what becomes of them on the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gen.component import component, option
from gen.errors import GenError
from gen.interfaces import Sampler
from gen.types import Given

__all__ = ["Translate"]


@component
class Translate(Sampler):
    """What a model makes of samples of one domain in the other. Pictures show columns of x, G(x) and F(G(x))."""

    needs = ("translate",)
    given = ("x", "to")
    to: str | None = option(None, doc="the domain to translate to (the last one of the data)")
    back: bool = option(True, doc="pictures show the way back as well, where the model knows it")

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
        if given is None or given.x is None or given.to is None or not len(given.x):
            raise GenError("translation/translate starts from data: give it Given(x=…, to=…)")
        x = given.x[torch.arange(n) % len(given.x)]  # [n, *shape]
        translated: Tensor = model.translate(x, given.to)
        return translated

    @torch.no_grad()
    def rows(self, model: Any, x: Tensor, given: Given | None) -> list[Tensor]:
        """x, G(x), F(G(x))."""
        shown = super().rows(model, x, given)
        home = next((name for name in model.data.domains if given is not None and name != given.to), None)
        if self.back and home is not None and home in getattr(model, "targets", model.data.domains):
            shown.append(model.translate(x, home))
        return shown
