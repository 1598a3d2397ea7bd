"""A gated recurrent network along a sequence (Cho et al. 2014, arXiv:1406.1078).

Every value is predicted from the state that the values before it left behind. Shapes: B batch, N values, K numbers of
a factor, D width.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from gen.component import component, option
from gen.interfaces import Autoregressor
from gen_series.networks.sites import Labels, joined, numbers_of, shifted

__all__ = ["Recurrent"]


@component
class Recurrent(Autoregressor):
    """Gated recurrent units along the values in raster order, channels inside a position (Cho et al. 2014)."""

    width: int = option(32, min=1, max=65_536, doc="size D of the state of a layer")
    depth: int = option(1, min=1, max=64, doc="layers")

    def build(self) -> None:
        self.numbers = numbers_of(self.in_shape, self.out_shape)
        sizes = [2, *[self.width] * (self.depth - 1)]
        self.cells = nn.ModuleList(nn.GRUCell(size, self.width) for size in sizes)
        self.out = nn.Linear(self.width, self.numbers)
        self.told = Labels(self.cond, self.width) if self.cond is not None else None

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        states, seen = self._first(x, cond), []
        for known in shifted(x).unbind(1):  # [B, 2]
            states = self._next(known, states)
            seen.append(states[-1])
        return joined(self.out(torch.stack(seen, 1)), self.in_shape)

    def start(self, batch: int, cond: Tensor | None = None) -> Any:
        """The states [B, D] of the layers, which `step` renews."""
        return self._first(self.out.weight.new_zeros(batch, 1), cond)

    def step(self, cache: Any, position: int, previous: Tensor | None) -> Tensor:
        assert 0 <= position < math.prod(self.in_shape), "a position of the sequence"
        value = cache[0].new_zeros(len(cache[0])) if previous is None else previous.to(cache[0])
        known = torch.stack([value, torch.full_like(value, float(previous is not None))], 1)  # [B, 2]
        cache[:] = self._next(known, cache)
        return self.out(cache[-1])  # type: ignore[no-any-return]

    def _next(self, known: Tensor, states: list[Tensor]) -> list[Tensor]:
        """The states of the layers after one more value."""
        found = []
        for cell, state in zip(self.cells, states, strict=True):
            known = cell(known, state)
            found.append(known)
        return found

    def _first(self, like: Tensor, cond: Tensor | None) -> list[Tensor]:
        """The states before the first value: what the condition says, else 0."""
        if self.told is None:
            return [like.new_zeros(len(like), self.width)] * self.depth
        return [self.told(cond, len(like), like)] * self.depth
