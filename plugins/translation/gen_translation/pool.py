"""A pool of past samples that a discriminator is shown beside new ones (Shrivastava et al. 2017, arXiv:1612.07828).

It keeps a discriminator from forgetting what a generator used to do. While it fills, it keeps and returns what comes.
Once full, each new sample is either returned as it is (probability 1/2), or takes the place of a past one, which is
returned instead. Shapes: B batch, C channels, H W sides, P places.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gen.types import Shape

__all__ = ["Pool"]


class Pool(nn.Module):
    """forward(new [B, *shape]) → [B, *shape], new or past. Belongs to a process: its buffers are saved per rank.

    Of a batch larger than the pool, the surplus passes through. In evaluation mode everything does.

    Args:
        size: places P; 0 makes a pool that lets everything pass.
        shape: of a sample.
    """

    past: Tensor
    seen: Tensor
    per_rank = ("past", "seen")

    def __init__(self, size: int, shape: Shape) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("past", torch.zeros(size, *shape))  # [P, *shape]
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def forward(self, new: Tensor) -> Tensor:
        if not self.training or self.size == 0:
            return new
        taken, surplus = new[: self.size], new[self.size :]
        b, device = len(taken), new.device
        full = self.seen >= self.size
        chance = torch.rand(self.size, device=device)
        places = torch.where(full, chance.argsort()[:b], (self.seen + torch.arange(b, device=device)) % self.size)
        swapped = full & (torch.rand(b, device=device) < 0.5)  # [B]
        ahead = (b, *[1] * (new.ndim - 1))
        past = self.past[places]  # [B, *shape]
        entering = taken.to(self.past.dtype)
        self.past[places] = torch.where((swapped | ~full).view(ahead), entering, past)
        self.seen += b
        returned = torch.where(swapped.view(ahead), past, entering).to(new.dtype)
        return torch.cat([returned, surplus]) if len(surplus) else returned
