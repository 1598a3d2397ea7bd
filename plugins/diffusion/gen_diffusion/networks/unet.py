"""The U-Net of denoising diffusion (Ho et al. 2020, arXiv:2006.11239; Dhariwal and Nichol 2021, arXiv:2105.05233).

Levels of residual blocks, each after the first at half the sides; on the way up every block also sees what its mirror
on the way down put out. Shapes: B batch, C channels, H W sides.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen.component import component, option
from gen.errors import OptionError, ShapeError
from gen.interfaces import Denoiser
from gen_diffusion.networks.embedding import Conditioning
from gen_diffusion.networks.layers import MapAttention, Residual, map_norm, rerun, zeroed

__all__ = ["UNet"]


@component
class UNet(Denoiser):
    """Residual blocks over halving sides, with skips, group norm, SiLU and attention.

    Images of any number of channels whose sides divide by 2 per level after the first. The lowest map always attends;
    `attention` names the heights of further maps that do, at a cost that grows with the square of their pixels. The
    output starts at zero.
    """

    width: int = option(64, min=1, max=65_536, doc="channels of the first level")
    multipliers: tuple[int, ...] = option((1, 2, 2), min=1, max=1024, doc="channels of each level, in widths")
    blocks: int = option(2, min=1, max=100, doc="residual blocks per level, on the way down and on the way up")
    attention: tuple[int, ...] = option((), min=1, doc="heights of maps that attend, besides the lowest")
    dropout: float = option(0.0, min=0, below=1, doc="share of a block's units dropped in training")
    recompute: bool = option(False, doc="work blocks out again in the backward pass: less memory, a third more time")

    def build(self) -> None:
        heights = self._fit()
        widths = [self.width * factor for factor in self.multipliers]
        told = 4 * self.width
        self.told = Conditioning(told, self.cond)
        self.enter = nn.Conv2d(self.in_shape[0], widths[0], 3, padding=1)
        down, up = [], []
        for height, width, below in zip(heights, widths, [*widths[1:], None], strict=True):
            attends = height in self.attention or below is None
            before = [width] * self.blocks
            down.append(Level([Block(n, width, told, self.dropout, attends) for n in before]))
            up.append(Level([Block(n + width, width, told, self.dropout, attends) for n in before]))
        self.down, self.up = nn.ModuleList(down), nn.ModuleList(reversed(up))
        self.middle = Level([Block(widths[-1], widths[-1], told, self.dropout, True)])
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths))
        self.grow = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(reversed(widths)))
        self.norm = map_norm(widths[0])
        self.leave = zeroed(nn.Conv2d(widths[0], self.out_shape[0], 3, padding=1))

    def forward(self, x_noisy: Tensor, c_noise: Tensor, cond: Tensor | None = None) -> Tensor:
        code = F.silu(self.told(c_noise.expand(len(x_noisy)), cond))  # [B, 4 width]
        h, seen = self.enter(x_noisy), []
        for i, level in enumerate(self.down):
            for block in level.blocks:
                h = rerun(self.recompute, block, h, code)
                seen.append(h)
            if i < len(self.shrink):
                h = self.shrink[i](h)
        h = self.middle.blocks[0](h, code)
        for i, level in enumerate(self.up):
            for block in level.blocks:
                h = rerun(self.recompute, block, torch.cat([h, seen.pop()], dim=1), code)
            if i < len(self.grow):
                h = F.interpolate(self.grow[i](h), scale_factor=2.0, mode="nearest")
        out: Tensor = self.leave(F.silu(self.norm(h)))
        return out

    def _fit(self) -> list[int]:
        """The height of every level's map.

        Raises:
            OptionError: no level at all.
            ShapeError: no images, sides that cannot be halved so often, or attention at a height that no map has.
        """
        levels, factor = len(self.multipliers), 2 ** (len(self.multipliers) - 1)
        if not levels:
            raise OptionError("multipliers is empty: name one factor per level, at least one")
        if len(self.in_shape) != 3 or self.in_shape[1:] != self.out_shape[1:] or not all(self.in_shape):
            raise ShapeError(f"unet denoises images (C, H, W), got {self.in_shape} → {self.out_shape}")
        _, height, width = self.in_shape
        if height % factor or width % factor:
            most = max(n for n in range(1, levels) if height % 2 ** (n - 1) == 0 and width % 2 ** (n - 1) == 0)
            raise ShapeError(
                f"unet of {levels} levels needs sides that divide by {factor}, got {height}x{width}: give multipliers "
                f"at most {most} factors, or pad the data (data/pad)"
            )
        heights = [height // 2**level for level in range(levels)]
        if foreign := [side for side in self.attention if side not in heights]:
            listed = ", ".join(map(str, heights))
            raise ShapeError(f"no map of unet has the height {foreign[0]}: attention may name {listed}")
        return heights


class Level(nn.Module):
    """The blocks that work at one height."""

    def __init__(self, blocks: list[Block]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)


class Block(nn.Module):
    """A residual block and, where it attends, attention after it."""

    def __init__(self, inputs: int, outputs: int, told: int, dropout: float, attends: bool) -> None:
        super().__init__()
        self.residual = Residual(inputs, outputs, told, dropout)
        self.attention = MapAttention(outputs) if attends else nn.Identity()

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """x [B, C, H, W] and code [B, E] → [B, C', H, W]."""
        out: Tensor = self.attention(self.residual(x, code))
        return out
