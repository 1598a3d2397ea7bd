"""MADE, the masked autoencoder (Germain et al. 2015, arXiv:1502.03509).

Every unit has a degree d: it sees values 1 to d alone. A hidden unit sees units of degree at most its own, the numbers
of value i see units of degree below i. Here degrees rise evenly along each layer, so all masks are block triangular,
and a cached step computes just the units of one degree: all steps together cost one pass.
Shapes: B batch, N values of a sample, U units, K numbers per factor.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar

import attrs
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen.component import component, option
from gen.interfaces import Autoregressor
from gen_autoregressive.labels import Labels
from gen_autoregressive.order import maps, values
from gen_autoregressive.raster import per_factor

__all__ = ["MADE"]


@attrs.define
class Cache:
    """The values so far [B, N], the units of each hidden layer so far [B, U], and the label's shifts."""

    layers: list[Tensor]
    shifts: Sequence[Tensor | None]


@component
class MADE(Autoregressor):
    """Masked multilayer perceptron: one pass gives every factor."""

    example: ClassVar[dict[str, Any]] = {"hidden": [300]}
    hidden: tuple[int, ...] = option((500,), min=1, max=1_000_000, doc="units of each hidden layer")

    def build(self) -> None:
        self.per = per_factor("autoregressive/made", self.in_shape, self.out_shape)
        self.count = self.in_shape[0] * self.in_shape[1] * self.in_shape[2]  # N
        sizes = [self.count, *self.hidden]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.out = nn.Linear(sizes[-1], self.count * self.per)
        self.labels = Labels("autoregressive/made", self.cond, self.hidden)
        before = torch.arange(1, self.count + 1)  # degrees of the values
        for number, size in enumerate(self.hidden):
            degrees = self._degrees(size)
            self._keep(f"mask{number}", before <= degrees.unsqueeze(1))  # [units, units before]
            before = degrees
        factor = torch.arange(1, self.count + 1).unsqueeze(1)  # [N, 1]
        self._keep("mask_out", (before < factor).repeat_interleave(self.per, 0))  # [N K, U]

    def _keep(self, name: str, mask: Tensor) -> None:
        """Floats: to multiply by booleans converts them at every step, which costs as much as the products."""
        self.register_buffer(name, mask.to(self.out.weight.dtype), persistent=False)

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        h = values(x)  # [B, N]
        for number, (layer, shift) in enumerate(zip(self.layers, self.labels(len(x), cond), strict=True)):
            h = F.linear(h, layer.weight * self.get_buffer(f"mask{number}"), layer.bias)
            h = (h if shift is None else h + shift).relu()  # [B, U]
        rows = F.linear(h, self.out.weight * self.mask_out, self.out.bias).unflatten(1, (self.count, self.per))
        return maps(rows, self.in_shape)

    def start(self, batch: int, cond: Tensor | None = None) -> Cache:
        like = self.out.weight
        sizes = (self.count, *self.hidden)
        return Cache([like.new_zeros(batch, size) for size in sizes], self.labels(batch, cond))

    def step(self, cache: Any, position: int, previous: Tensor | None) -> Tensor:
        """The units of degree `position` first: they see the values before it. Then the numbers of the factor."""
        if previous is not None:
            cache.layers[0][:, position - 1] = previous
        seen = position  # values, then units, of degree up to `position`
        for number, (layer, shift) in enumerate(zip(self.layers, cache.shifts, strict=True)):
            mine = slice(self._up_to(layer.out_features, position - 1), self._up_to(layer.out_features, position))
            h = F.linear(cache.layers[number][:, :seen], layer.weight[mine, :seen], layer.bias[mine])
            cache.layers[number + 1][:, mine] = (h if shift is None else h + shift[:, mine]).relu()
            seen = mine.stop
        out = slice(position * self.per, (position + 1) * self.per)
        return F.linear(cache.layers[-1][:, :seen], self.out.weight[out, :seen], self.out.bias[out])

    def _degrees(self, units: int) -> Tensor:
        """Degrees [U] from 1 to N - 1, rising evenly; the last unit has the largest."""
        rank = torch.arange(1, units + 1)
        return (rank * (self.count - 1) + units - 1) // units

    def _up_to(self, units: int, degree: int) -> int:
        """How many units of a layer have at most this degree."""
        if self.count == 1:
            return units if degree >= 0 else 0  # nothing to see: every unit is a bias
        return max(degree, 0) * units // (self.count - 1)
