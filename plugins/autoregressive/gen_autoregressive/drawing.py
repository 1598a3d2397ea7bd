"""Drawing value by value: p(x) = prod_i p(x_i | x_<i), in raster order (van den Oord et al. 2016, arXiv:1601.06759).

Shapes: B batch, N values of a sample.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gen.interfaces import Autoregressor
from gen.precision import widen
from gen_autoregressive.choosing import How, choose
from gen_autoregressive.levels import value_of
from gen_autoregressive.likelihoods.likelihood import PixelLikelihood
from gen_autoregressive.order import factors, images, values

__all__ = ["fill", "uniforms"]


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
    uniform: Tensor,
    how: How,
) -> Tensor:
    """Images [B, C, H, W]: x where the mask is 1, elsewhere drawn in order, each value given all values before it.

    Known values after an unknown one are kept, but what is drawn before does not look ahead at them.

    Args:
        uniform: [B, N], the number that decides each value; the same numbers give the same pixels, cached or not.
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
            index = choose(likelihood.log_chances(widen(logits)), uniform[:, position], how)
            value = value_of(index, likelihood.counted, drawn.dtype)
            drawn[position] = torch.where(known[position], drawn[position], value)
        if how.observe is not None and (position + 1) % row_size == 0:
            how.observe((position + 1) // row_size, shape[1], images(drawn.T.contiguous(), shape))
    return images(drawn.T.contiguous(), shape)
