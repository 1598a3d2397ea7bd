"""The diffusion transformer (Peebles and Xie 2022, arXiv:2212.09748), with today's parts.

    h <- h + gate * attention(scale * norm(h) + shift),    h <- h + gate * swiglu(scale * norm(h) + shift)

Scale, shift and gate come from the noise level and the label and start at zero (adaLN-zero), so every block starts as
the identity. Norms are RMS norms (Zhang and Sennrich 2019, arXiv:1910.07467), the feed-forward is SwiGLU (Shazeer 2020,
arXiv:2002.05202), queries and keys are normalised (Henry et al. 2020, arXiv:2010.04245), and positions enter through
rotations alone. Shapes: B batch, N patches, W width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen.component import component, option
from gen.errors import OptionError, ShapeError
from gen.interfaces import Denoiser
from gen_diffusion.networks.embedding import Conditioning
from gen_diffusion.networks.layers import rerun, zeroed
from gen_diffusion.networks.rotary import angles, rotate

__all__ = ["DiT"]

EPS = 1e-6
"""Added to mean squares before their root is taken."""


@component
class DiT(Denoiser):
    """A transformer over patches: adaLN-zero, RMS norm, SwiGLU, rotary positions in 2-D, normalised queries and keys.

    Images of any number of channels whose sides divide by `patch`. The output starts at zero.
    """

    patch: int = option(2, min=1, max=1024, doc="side of the squares that make one token")
    width: int = option(256, min=4, max=65_536, doc="numbers per token")
    depth: int = option(6, min=1, max=1000, doc="blocks")
    heads: int = option(4, min=1, max=1024, doc="attention heads; width must divide by 4 per head")
    recompute: bool = option(False, doc="work blocks out again in the backward pass: less memory, a third more time")

    def build(self) -> None:
        rows, columns = self._fit()
        square = self.patch**2
        self.told = Conditioning(self.width, self.cond)
        self.enter = nn.Linear(self.in_shape[0] * square, self.width)
        self.blocks = nn.ModuleList(Block(self.width, self.heads) for _ in range(self.depth))
        self.last = zeroed(nn.Linear(self.width, 2 * self.width))
        self.leave = zeroed(nn.Linear(self.width, self.out_shape[0] * square))
        self.turns: Tensor
        self.register_buffer("turns", angles(rows, columns, self.width // self.heads), persistent=False)  # [2, N, W/h]

    def forward(self, x_noisy: Tensor, c_noise: Tensor, cond: Tensor | None = None) -> Tensor:
        code = F.silu(self.told(c_noise.expand(len(x_noisy)), cond))  # [B, W]
        h = self.enter(F.pixel_unshuffle(x_noisy, self.patch).flatten(2).mT)  # [B, N, W]
        for block in self.blocks:
            h = rerun(self.recompute, block, h, code, self.turns)
        scale, shift = self.last(code)[:, None].chunk(2, dim=-1)
        out = self.leave(modulated(h, scale, shift)).mT  # [B, C' patch^2, N]
        sides = [side // self.patch for side in self.in_shape[1:]]
        return F.pixel_shuffle(out.unflatten(2, sides), self.patch)

    def _fit(self) -> tuple[int, int]:
        """Rows and columns of patches.

        Raises:
            OptionError: heads that the width does not divide into.
            ShapeError: shapes that are no images, or whose sides do not divide by the patch.
        """
        if self.width % (4 * self.heads):
            raise OptionError(f"width must divide by 4 per head, got width {self.width} with {self.heads} heads")
        if len(self.in_shape) != 3 or self.in_shape[1:] != self.out_shape[1:] or not all(self.in_shape):
            raise ShapeError(f"dit denoises images (C, H, W), got {self.in_shape} → {self.out_shape}")
        _, height, width = self.in_shape
        if height % self.patch or width % self.patch:
            raise ShapeError(
                f"dit of {self.patch}x{self.patch} patches needs sides that divide by {self.patch}, got "
                f"{height}x{width}: choose another patch, or pad the data (data/pad)"
            )
        return height // self.patch, width // self.patch


class Block(nn.Module):
    """Attention among the tokens, then a feed-forward of each; both modulated and gated by the condition."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        hidden = -(-8 * width // 24) * 8  # two thirds of 4 widths, for three matrices instead of two; in eights
        self.heads = heads
        self.modulation = zeroed(nn.Linear(width, 6 * width))
        self.attend = nn.Linear(width, 3 * width, bias=False)
        self.query_norm, self.key_norm = Norm(width // heads), Norm(width // heads)
        self.join = nn.Linear(width, width, bias=False)
        self.widen = nn.Linear(width, 2 * hidden, bias=False)
        self.narrow = nn.Linear(hidden, width, bias=False)

    def forward(self, h: Tensor, code: Tensor, turns: Tensor) -> Tensor:
        """h [B, N, W], code [B, W], turns [2, N, W/heads] → [B, N, W]."""
        scale, shift, gate, scale_wide, shift_wide, gate_wide = self.modulation(code)[:, None].chunk(6, dim=-1)
        h = h + gate * self.attention(modulated(h, scale, shift), turns)
        gated, plain = self.widen(modulated(h, scale_wide, shift_wide)).chunk(2, dim=-1)
        out: Tensor = h + gate_wide * self.narrow(F.silu(gated) * plain)
        return out

    def attention(self, h: Tensor, turns: Tensor) -> Tensor:
        """[B, N, W] → [B, N, W]."""
        joint = self.attend(h).unflatten(-1, (3, self.heads, -1))  # [B, N, 3, heads, W/heads]
        query, key, value = joint.permute(2, 0, 3, 1, 4)  # [B, heads, N, W/heads] each
        query = rotate(self.query_norm(query), turns).to(value.dtype)
        key = rotate(self.key_norm(key), turns).to(value.dtype)
        seen = F.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.join(seen.transpose(1, 2).flatten(2))
        return out


class Norm(nn.Module):
    """The RMS norm of a head, with a gain per number; torch's own wants input and gain of one precision."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        """[..., size] → [..., size]."""
        return F.rms_norm(x, x.shape[-1:], eps=EPS) * self.weight


def modulated(h: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """(1 + scale) * h / rms(h) + shift, for h [B, N, W]."""
    return torch.addcmul(shift, F.rms_norm(h, h.shape[-1:], eps=EPS), 1 + scale)
