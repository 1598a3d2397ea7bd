"""A denoiser for points and other small vectors."""

from __future__ import annotations

import math

from torch import Tensor, nn

from gen.component import component, option
from gen.errors import ShapeError
from gen.interfaces import Denoiser
from gen_diffusion.networks.embedding import Conditioning

__all__ = ["MLPDenoiser"]


@component
class MLPDenoiser(Denoiser):
    """Residual blocks of two layers, each told the noise level and the label; data of any shape, taken as a vector."""

    width: int = option(128, min=1, max=65_536, doc="units of every layer")
    depth: int = option(3, min=1, max=100, doc="residual blocks")

    def build(self) -> None:
        size, out = math.prod(self.in_shape), math.prod(self.out_shape)
        if not size:
            raise ShapeError(f"a denoiser needs data, got the shape {self.in_shape}")
        self.told = Conditioning(self.width, self.cond)
        self.enter = nn.Linear(size, self.width)
        self.blocks = nn.ModuleList(Block(self.width) for _ in range(self.depth))
        self.leave = nn.Linear(self.width, out)

    def forward(self, x_noisy: Tensor, c_noise: Tensor, cond: Tensor | None = None) -> Tensor:
        code = self.told(c_noise.expand(len(x_noisy)), cond)  # [B, width]
        h = self.enter(x_noisy.flatten(1))
        for block in self.blocks:
            h = block(h, code)
        out: Tensor = self.leave(nn.functional.silu(h))
        return out.unflatten(1, self.out_shape)


class Block(nn.Module):
    """h + a two-layer perceptron of h, shifted by what the block is told."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first, self.shift, self.second = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)
        nn.init.zeros_(self.second.weight)  # every block starts as the identity
        nn.init.zeros_(self.second.bias)

    def forward(self, h: Tensor, code: Tensor) -> Tensor:
        """h [B, width] → [B, width]."""
        inner = nn.functional.silu(self.first(self.norm(h)) + self.shift(nn.functional.silu(code)))
        return h + self.second(inner)
