"""Going value by value: p(x) = prod_i p(x_i | x_<i), in raster order (van den Oord et al. 2016, arXiv:1601.06759).

Whoever picks the levels decides what comes of it: a draw, or beside an entropy coder the image that was coded. Shapes:
B batch, N values of a sample, V levels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from gen.interfaces import Autoregressor
from gen.precision import widen
from gen_autoregressive.choosing import How
from gen_autoregressive.levels import value_of
from gen_autoregressive.likelihoods.likelihood import PixelLikelihood
from gen_autoregressive.order import factors, images, values

__all__ = ["Pick", "fill", "uniforms"]

Pick: TypeAlias = Callable[[int, Tensor], Tensor]
"""(position, log-chances [B, V]) → the numbers of the levels [B] that the values there take."""


def uniforms(like: Tensor, rng: torch.Generator | None) -> Tensor:
    """One uniform number for each value of images [B, C, H, W]: [B, N], float64, on their device."""
    device = rng.device if rng is not None else like.device
    drawn = torch.rand(len(like), like[0].numel(), generator=rng, device=device, dtype=torch.float64)
    return drawn.to(like.device)


def fill(
    network: Autoregressor,
    likelihood: PixelLikelihood,
    x: Tensor,
    mask: Tensor,
    cond: Tensor | None,
    pick: Pick,
    how: How,
) -> Tensor:
    """Images [B, C, H, W]: x where the mask is 1, elsewhere picked in order, each value given all values before it.

    Known values after an unknown one are kept, but what is picked before does not look ahead at them.

    Args:
        pick: asked at every position where the value of some image is unknown.
        how: with caches or without, and who is shown the rows; the rest of it is the affair of `pick`.
    """
    shape = tuple(x.shape[1:])
    row_size = shape[0] * shape[2]
    known = values(mask.bool()).T  # [N, B]
    drawn = values(x).T.masked_fill(~known, 0)  # [N, B]: a value of every image is contiguous
    open_at = (~known).any(1).tolist()
    cache = network.start(len(x), cond) if how.cached else None
    for position, unknown in enumerate(open_at):
        if how.cached:
            logits = network.step(cache, position, drawn[position - 1] if position else None)  # [B, K]
        elif unknown:
            logits = factors(network(images(drawn.T.contiguous(), shape), cond), shape[0])[:, position]
        if unknown:
            index = pick(position, likelihood.log_chances(widen(logits)))
            value = value_of(index, likelihood.counted, drawn.dtype)
            drawn[position] = torch.where(known[position], drawn[position], value)
        if how.observe is not None and (position + 1) % row_size == 0:
            how.observe((position + 1) // row_size, shape[1], images(drawn.T.contiguous(), shape))
    return images(drawn.T.contiguous(), shape)
