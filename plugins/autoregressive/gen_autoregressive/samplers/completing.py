"""How the samplers ask a model to complete an image: any model with `complete`, or ours with a word on how."""

from __future__ import annotations

from typing import Any

import attrs
import torch
from torch import Tensor

from gen.errors import GenError
from gen_autoregressive.choosing import How

__all__ = ["completed"]


def completed(
    name: str, model: Any, x: Tensor, mask: Tensor, cond: Tensor | None, rng: torch.Generator, how: How
) -> Tensor:
    """Completions of x [n, C, H, W] where the mask is 0.

    Raises:
        GenError: temperature and the like are set for a model that knows only `complete`.
    """
    if model.log_prob_kind == "exact" and hasattr(model, "autoregressor"):
        return model.draw(x, mask, cond, rng, how)
    if attrs.evolve(how, observe=None) != How():
        raise GenError(
            f"{name}: temperature, top_k, top_p and cached are for autoregressive models, which {type(model).__name__} "
            "is not: leave them out"
        )
    return model.complete(x, mask, cond, rng)
