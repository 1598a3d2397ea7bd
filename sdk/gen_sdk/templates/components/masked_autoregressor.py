"""An autoregressor: data to the logits of every factor p(x_i given x_<i), in raster order, channels inside a pixel.

MADE (Germain et al. 2015, arXiv:1502.03509): one hidden layer, whose unit k sees the first m_k dimensions only; factor
i reads the units with m_k <= i (counted from 0). Shapes: B batch, N dimensions of a sample, K logits of a factor, U
hidden units.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import attrs
import torch
from torch import Tensor, nn

from gen.component import component, option
from gen.errors import ShapeError
from gen.interfaces import Autoregressor

__all__ = ["MaskedAutoregressor"]


@attrs.define
class Sums:
    """The cache of a sample being drawn: what the hidden units have added up so far, [B, U]."""

    hidden: Tensor


@component
class MaskedAutoregressor(Autoregressor):
    """One hidden layer whose masks keep every factor from what comes after it."""

    example: ClassVar[dict[str, Any]] = {"hidden": 64}  # small and quick, for checks
    hidden: int = option(512, min=1, max=1_048_576, doc="hidden units U")
    place: Tensor  # an annotation alone is no option: what build registers
    enter_mask: Tensor
    leave_mask: Tensor

    def build(self) -> None:
        """Whoever owns it has set `in_shape`, `out_shape` and `cond`: layers and masks follow from them."""
        inputs, outputs = math.prod(self.in_shape), math.prod(self.out_shape)
        if outputs % inputs or self.out_shape[1:] != self.in_shape[1:]:
            raise ShapeError(
                f"it gives as many logits to every dimension of {self.in_shape}: {self.out_shape} cannot be"
            )
        if self.cond is not None and self.cond.kind != "class":
            raise ShapeError(f"MaskedAutoregressor can be told classes, no {self.cond.kind}")
        self.enter = nn.Linear(inputs, self.hidden)
        self.leave = nn.Linear(self.hidden, outputs)
        self.label = nn.Embedding(self.cond.size + 1, self.hidden) if self.cond is not None else None
        channels = self.in_shape[0]
        order = torch.arange(inputs).view(-1, channels).T.flatten()  # [N], the position of every dimension of x
        seen = torch.arange(self.hidden) % inputs  # [U], m_k
        factor = order.repeat(outputs // inputs)  # [K N], the factor that a logit belongs to
        self.register_buffer("place", torch.arange(inputs).view(channels, -1).T.flatten())  # [N], the inverse of order
        self.register_buffer("enter_mask", (order < seen[:, None]).float())  # [U, N]
        self.register_buffer("leave_mask", (seen <= factor[:, None]).float())  # [K N, U]

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        h = nn.functional.linear(x.flatten(1), self.enter.weight * self.enter_mask, self.enter.bias)  # [B, U]
        return self.logits(h + self.told(len(x), cond)).unflatten(1, self.out_shape)  # [B, *out]

    def start(self, batch: int, cond: Tensor | None = None) -> Sums:
        return Sums(self.enter.bias.expand(batch, -1) + self.told(batch, cond))

    def step(self, cache: Sums, position: int, previous: Tensor | None) -> Tensor:
        """The logits [B, K] of the factor at `position`; `previous` [B] is the value before it, None at the first."""
        if previous is not None:
            column = (self.enter.weight * self.enter_mask)[:, self.place[position - 1]]  # [U]
            cache.hidden = cache.hidden + previous.reshape(-1, 1) * column
        return self.logits(cache.hidden).unflatten(1, (-1, len(self.place)))[:, :, self.place[position]]

    def logits(self, hidden: Tensor) -> Tensor:
        """The logits [B, K N] from the sums of the hidden units [B, U]."""
        return nn.functional.linear(hidden.relu(), self.leave.weight * self.leave_mask, self.leave.bias)

    def told(self, batch: int, cond: Tensor | None) -> Tensor:
        """What the condition adds to the hidden units; without a label it is the null one's share."""
        if self.label is None or self.cond is None:
            return self.enter.bias.new_zeros(1)
        null = torch.full((batch,), self.cond.null, device=self.enter.bias.device)
        return self.label(null if cond is None else cond)
