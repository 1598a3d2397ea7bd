"""A causal transformer over pixels (as Chen et al. 2020, Generative Pretraining from Pixels, of current parts).

Pre-normalised blocks: RMSNorm (Zhang and Sennrich 2019, arXiv:1910.07467), attention with rotary positions (Su et al.
2021, arXiv:2104.09864), SwiGLU (Shazeer 2020, arXiv:2002.05202). Token i is the pixel before pixel i; of the first, a
learned one. Half of each head turns with the row, half with the column of the pixel that the token is to foretell;
learned embeddings of row and column say besides where it is. Shapes: B batch, S pixels, E width, D features of a head.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen.component import component, option
from gen.errors import ShapeError
from gen_autoregressive.labels import Labels
from gen_autoregressive.raster import ChannelHead, RasterNetwork, Walk, per_factor

__all__ = ["Transformer"]

EPSILON = 1e-6


class Block(nn.Module):
    """x + attention(norm(x)), then x + SwiGLU(norm(x))."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        inner = 8 * width // 3  # three matrices of this cost as much as the usual two of 4 widths
        self.look, self.think = nn.RMSNorm(width, eps=EPSILON), nn.RMSNorm(width, eps=EPSILON)
        self.queries = nn.Linear(width, 3 * width, bias=False)
        self.join = nn.Linear(width, width, bias=False)
        self.rise, self.fall = nn.Linear(width, 2 * inner, bias=False), nn.Linear(inner, width, bias=False)
        self.drop = nn.Dropout(dropout) if dropout else nn.Identity()

    def project(self, x: Tensor, turn: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys, values [B, heads, S, D] of tokens [B, S, E], queries and keys turned by their places."""
        split = self.queries(self.look(x)).unflatten(-1, (3, self.heads, -1))  # [B, S, 3, heads, D]
        q, k, v = split.permute(2, 0, 3, 1, 4)
        return turned(q, turn), turned(k, turn), v

    def finish(self, x: Tensor, seen: Tensor) -> Tensor:
        """The block's output [B, S, E], from what attention saw [B, heads, S, D]."""
        x = x + self.drop(self.join(seen.transpose(1, 2).flatten(2)))
        gate, value = self.rise(self.think(x)).chunk(2, -1)
        return x + self.drop(self.fall(F.silu(gate) * value))


def turned(x: Tensor, turn: Tensor) -> Tensor:
    """Pairs of features turned by angles: x [B, heads, S, D], turn [2, S, D/2] (cosines and sines)."""
    a, b = x.chunk(2, -1)
    cosine, sine = turn.to(x.dtype)
    return torch.cat([a * cosine - b * sine, a * sine + b * cosine], -1)


@component
class Transformer(RasterNetwork):
    """Causal transformer over pixels, with a cache of keys and values."""

    example: ClassVar[dict[str, Any]] = {"width": 16, "depth": 2, "heads": 2, "hidden": 8}
    width: int = option(128, min=4, max=16_384, doc="features E of a token; a multiple of 4 times the heads")
    depth: int = option(6, min=1, max=200, doc="blocks")
    heads: int = option(4, min=1, max=256, doc="heads of attention")
    hidden: int = option(128, min=1, max=65_536, doc="features of the layer before the output")
    dropout: float = option(0.0, min=0, below=1, doc="share of what each half of a block adds that training drops")

    def build(self) -> None:
        per = per_factor("autoregressive/transformer", self.in_shape, self.out_shape)
        if self.width % (4 * self.heads):
            raise ShapeError(
                f"autoregressive/transformer: width {self.width} is no multiple of 4 times the {self.heads} heads: "
                f"give it {4 * self.heads * max(1, self.width // (4 * self.heads))}"
            )
        channels, height, columns = self.in_shape
        self.enter = nn.Linear(channels, self.width)
        self.first = nn.Parameter(torch.randn(self.width))
        self.row = nn.Parameter(0.02 * torch.randn(height, 1, self.width))
        self.column = nn.Parameter(0.02 * torch.randn(columns, self.width))
        self.blocks = nn.ModuleList(Block(self.width, self.heads, self.dropout) for _ in range(self.depth))
        self.norm = nn.RMSNorm(self.width, eps=EPSILON)
        self.labels = Labels("autoregressive/transformer", self.cond, [self.width])
        self.head = ChannelHead(self.width, self.hidden, channels, per)

    def features(self, x: Tensor, cond: Tensor | None) -> Tensor:
        pixels = self.enter(x.flatten(2).transpose(1, 2)[:, :-1])  # [B, S - 1, E]
        first = self.first.to(pixels.dtype).expand(len(x), 1, -1)
        tokens = self._placed(torch.cat([first, pixels], 1), cond)
        turn = self._turns(x.device)
        for block in self.blocks:
            q, k, v = block.project(tokens, turn)
            tokens = block.finish(tokens, F.scaled_dot_product_attention(q, k, v, is_causal=True))
        return self.norm(tokens).transpose(1, 2).unflatten(2, self.in_shape[1:])

    def walk(self, batch: int, cond: Tensor | None) -> Walk:
        return TransformerWalk(self, batch, cond)

    def _placed(self, tokens: Tensor, cond: Tensor | None) -> Tensor:
        """Tokens [B, S, E] with their places and labels added."""
        (shift,) = self.labels(len(tokens), cond)
        placed = tokens + (self.row + self.column).flatten(0, 1)
        return placed if shift is None else placed + shift.unsqueeze(1)

    def _turns(self, device: torch.device) -> Tensor:
        """Cosines and sines [2, S, D/2] of the angles: half of the pairs by row, half by column."""
        _, height, columns = self.in_shape
        quarter = self.width // self.heads // 4
        speed = 100.0 ** (-torch.arange(quarter, device=device, dtype=torch.float64) / quarter)  # [D/4]
        row, column = (torch.arange(side, device=device).unsqueeze(1) * speed for side in (height, columns))
        row, column = row.unsqueeze(1).expand(-1, columns, -1), column.expand(height, -1, -1)
        angle = torch.cat([row, column], -1).flatten(0, 1)  # [S, D/2]
        return torch.stack([angle.cos(), angle.sin()])


class TransformerWalk:
    """The transformer, one pixel after another, with the keys and values of all pixels before."""

    def __init__(self, network: Transformer, batch: int, cond: Tensor | None) -> None:
        _, height, self.columns = network.in_shape
        count = height * self.columns
        like = network.first
        self.network, self.turn = network, network._turns(like.device).to(like.dtype)
        self.places = network._placed(like.new_zeros(batch, count, network.width), cond)  # [B, S, E]
        size = (2, batch, network.heads, count, network.width // network.heads)
        self.kept = [like.new_empty(size) for _ in network.blocks]  # keys and values

    def __call__(self, row: int, column: int, before: Tensor | None) -> Tensor:
        network, site = self.network, row * self.columns + column
        token = network.first if before is None else network.enter(before)  # [E] or [B, E]
        tokens = (token + self.places[:, site]).unsqueeze(1)  # [B, 1, E]
        turn = self.turn[:, site : site + 1]
        for block, kept in zip(network.blocks, self.kept, strict=True):
            q, kept[0, :, :, site : site + 1], kept[1, :, :, site : site + 1] = block.project(tokens, turn)
            seen = F.scaled_dot_product_attention(q, kept[0, :, :, : site + 1], kept[1, :, :, : site + 1])
            tokens = block.finish(tokens, seen)
        return network.norm(tokens).squeeze(1)
