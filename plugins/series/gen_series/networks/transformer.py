"""A causal transformer along a sequence (Vaswani et al. 2017, arXiv:1706.03762), normalised before each layer.

Shapes: B batch, N values, K numbers of a factor, D width, h heads.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen.component import component, option
from gen.errors import ShapeError
from gen.interfaces import Autoregressor
from gen_series.networks.sites import Labels, joined, numbers_of, shifted

__all__ = ["Transformer"]


@component
class Transformer(Autoregressor):
    """Causal self-attention over the values in raster order, with learned positions and a cache of keys and values."""

    width: int = option(32, min=2, max=65_536, doc="size D of a position; divisible by heads")
    depth: int = option(2, min=1, max=256, doc="layers")
    heads: int = option(4, min=1, max=1024, doc="attention heads h")

    def build(self) -> None:
        if self.width % self.heads:
            raise ShapeError(f"width {self.width} is not divisible by {self.heads} heads")
        self.size = math.prod(self.in_shape)
        self.numbers = numbers_of(self.in_shape, self.out_shape)
        self.values = nn.Linear(2, self.width)
        self.positions = nn.Parameter(0.02 * torch.randn(self.size, self.width))
        self.layers = nn.ModuleList(_Layer(self.width, self.heads) for _ in range(self.depth))
        self.norm = nn.LayerNorm(self.width)
        self.out = nn.Linear(self.width, self.numbers)
        self.told = Labels(self.cond, self.width) if self.cond is not None else None

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        h = self.values(shifted(x)) + self.positions  # [B, N, D]
        if self.told is not None:
            h = h + self.told(cond, len(x), x)[:, None]
        for layer in self.layers:
            h = layer(h)
        return joined(self.out(self.norm(h)), self.in_shape)

    def start(self, batch: int, cond: Tensor | None = None) -> Any:
        """Keys and values [B, h, t, D/h] of every layer, none yet; and the condition's vector."""
        like = self.positions.new_zeros(batch, 1)
        told = self.told(cond, batch, like) if self.told is not None else like.new_zeros(batch, self.width)
        return {"layers": [None] * self.depth, "told": told}

    def step(self, cache: Any, position: int, previous: Tensor | None) -> Tensor:
        told = cache["told"]
        value = told.new_zeros(len(told)) if previous is None else previous.to(told)
        pair = torch.stack([value, torch.full_like(value, float(previous is not None))], 1)
        h = (self.values(pair) + self.positions[position] + told)[:, None]  # [B, 1, D]
        for number, layer in enumerate(self.layers):
            h, cache["layers"][number] = layer.continued(h, cache["layers"][number])
        return self.out(self.norm(h))[:, 0]  # type: ignore[no-any-return]


class _Layer(nn.Module):
    """Attention, then two linear maps, each added to what came in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.asked = nn.Linear(width, 3 * width)
        self.mixed = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, h: Tensor) -> Tensor:
        q, k, v = self._heads(h)
        return self._finish(h, F.scaled_dot_product_attention(q, k, v, is_causal=True))

    def continued(self, h: Tensor, past: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """One more position [B, 1, D], which sees those before it and itself."""
        q, k, v = self._heads(h)
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        return self._finish(h, F.scaled_dot_product_attention(q, k, v)), (k, v)

    def _heads(self, h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, each [B, h, t, D/h]."""
        q, k, v = self.asked(self.first(h)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return q, k, v

    def _finish(self, h: Tensor, seen: Tensor) -> Tensor:
        h = h + self.mixed(seen.transpose(1, 2).flatten(2))
        return h + self.mlp(self.second(h))  # type: ignore[no-any-return]
