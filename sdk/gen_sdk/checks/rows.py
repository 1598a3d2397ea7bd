"""The check that samples of a batch do not mix."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["rows_are_independent"]


def rows_are_independent(call: Callable[..., Tensor], *inputs: Tensor | None, rtol: float = 1e-4) -> None:
    """The output of a sample is the same alone as in a batch, for every sample of `inputs` (each [B, ...] or None).

    `call` is a deterministic function, such as a network in evaluation mode.
    """
    with torch.no_grad():
        together = call(*inputs)
        for row in range(len(together)):
            alone = call(*(None if x is None else x[row : row + 1] for x in inputs))
            assert alone.shape == together[row : row + 1].shape, (
                f"a batch of 1 gives the shape {tuple(alone.shape)}, a row of {len(together)} "
                f"{tuple(together[row : row + 1].shape)}: squeeze and reshape with care for B = 1"
            )
            scale = together.abs().max().item() + 1e-12
            gap = (alone - together[row : row + 1]).abs().max().item() / scale
            assert gap <= rtol, (
                f"sample {row} comes out differently alone than in its batch (by {gap:.1e} of the largest value): "
                f"reduce and normalise over the dimensions of a sample, never over the batch"
            )
