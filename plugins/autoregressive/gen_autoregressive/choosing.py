"""From the chances of levels to a level: temperature, top-k, top-p, and the inverse of the distribution function.

Every value takes one uniform number, so what is drawn is a function of the chances and of that number. Shapes: B
batch, V levels.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
import torch
from torch import Tensor

__all__ = ["How", "choose"]


@attrs.frozen
class How:
    """How values are drawn: the defaults draw from the model's distribution itself.

    `temperature` T raises chances to the power 1/T; `top_k` keeps the k likeliest levels (0: all), `top_p` the fewest
    likeliest that together have the chance p. `cached=False` computes every value by a full pass over the image.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    cached: bool = True
    observe: Callable[[int, int, Tensor], None] | None = None


def choose(log_chances: Tensor, uniform: Tensor, how: How) -> Tensor:
    """Numbers of levels [B], from log-chances [B, V] and uniform numbers [B] in [0, 1)."""
    log_p = log_chances.double()
    if how.temperature != 1:
        log_p = (log_p / how.temperature).log_softmax(-1)
    if 0 < how.top_k < log_p.shape[-1]:
        log_p = log_p.masked_fill(_ranks(log_p) >= how.top_k, -torch.inf)
    if how.top_p < 1:
        log_p = _nucleus(log_p, how.top_p)
    below = log_p.exp().cumsum(-1)  # [B, V]
    index = (below <= uniform.double().unsqueeze(-1) * below[:, -1:]).sum(-1)
    return index.clamp(max=log_p.shape[-1] - 1)


def _ranks(log_p: Tensor) -> Tensor:
    """0 for the likeliest level of a row, then 1; of equals the lower level first."""
    return log_p.argsort(dim=-1, descending=True, stable=True).argsort(dim=-1)


def _nucleus(log_p: Tensor, share: float) -> Tensor:
    """Keeps the fewest likeliest levels whose chances reach `share` of all, at least one."""
    p, order = log_p.softmax(-1).sort(dim=-1, descending=True, stable=True)
    late = p.cumsum(-1) - p >= share  # the levels before it already reach the share
    late[:, 0] = False
    return log_p.masked_fill(torch.zeros_like(late).scatter(-1, order, late), -torch.inf)
