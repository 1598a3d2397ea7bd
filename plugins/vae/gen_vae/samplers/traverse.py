"""What each coordinate of a code does (latent traversals, as in Higgins et al. 2017, beta-VAE)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gen.component import component, option
from gen.interfaces import Sampler
from gen.types import Given
from gen_vae.samplers.starts import real_codes, starts

__all__ = ["Traverse"]


@component
class Traverse(Sampler):
    """Walks the coordinates of a given sample's code, one row for each; the others keep their values.

    After the last coordinate come those of the next given sample; latent * steps samples show one code whole.
    """

    needs = ("encode", "decode")
    given = ("x",)
    steps: int = option(8, min=2, max=1000, doc="samples in a row, both ends included")
    span: float = option(3.0, above=0, max=1e6, doc="the coordinate runs from -span to span, in units of z")

    @torch.no_grad()
    def sample(
        self,
        model: Any,
        n: int,
        *,
        rng: torch.Generator,
        cond: Tensor | None = None,
        given: Given | None = None,
        observe: Callable[[int, int, Tensor], None] | None = None,
    ) -> Tensor:
        rows = math.ceil(n / self.steps)
        size = model.encode(*starts("vae/traverse", given, cond, 1))[0].numel()
        x, labels = starts("vae/traverse", given, cond, math.ceil(rows / size))
        codes = real_codes(model, x, labels)
        walk = codes.repeat_interleave(size, dim=0)[:rows]  # [rows, *z]: row r walks coordinate r % size
        walk = walk.unsqueeze(1).repeat(1, self.steps, *[1] * (codes.dim() - 1))  # [rows, steps, *z]
        row = torch.arange(rows, device=codes.device)
        values = torch.linspace(-self.span, self.span, self.steps, device=codes.device, dtype=codes.dtype)
        walk.flatten(2)[row, :, row % size] = values
        if labels is not None:
            labels = labels.repeat_interleave(size, dim=0)[:rows].repeat_interleave(self.steps, dim=0)[:n]
        return model.decode(walk.flatten(0, 1)[:n], labels)

    def columns(self, n: int) -> int | None:
        return self.steps
