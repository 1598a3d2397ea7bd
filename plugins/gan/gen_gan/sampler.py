"""Samples of a generator: z from a standard normal, truncated if asked for, or paths between such z."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gen.component import component, option
from gen.errors import GenError
from gen.interfaces import Sampler
from gen.types import Given

__all__ = ["Latent", "arc", "normal"]


@component
class Latent(Sampler):
    """New samples from random z; with `steps`, rows of samples on the way from one z to another.

    Truncation draws every coordinate of z from a normal cut off at ±`truncation`: finer samples, less variety (Brock,
    Donahue and Simonyan 2018, arXiv:1809.11096). Paths are arcs: straight lines would leave the shell where normal z
    lie (White 2016, arXiv:1609.04468). A row has one label, where there are labels.
    """

    needs = ("generate",)
    truncation: float | None = option(None, above=0, max=1e3, doc="where z is cut off; null: nowhere")
    steps: int = option(1, min=1, max=1000, doc="samples in a row, from one z to another; 1: single samples")

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
        size = getattr(model, "latent", None)
        if not isinstance(size, int):
            raise GenError(f"gan/latent draws z of a size that {type(model).__name__} does not state as `latent`")
        if self.steps == 1:
            return _made(model, self._draw(n, size, rng), cond)
        rows = math.ceil(n / self.steps)
        t = torch.linspace(0, 1, self.steps, device=rng.device)
        z = arc(self._draw(rows, size, rng), self._draw(rows, size, rng), t).flatten(0, 1)[:n]  # [n, D]
        labels = None if cond is None else cond[:rows].repeat_interleave(self.steps, 0)[:n]
        return _made(model, z, labels)

    def columns(self, n: int) -> int | None:
        return self.steps if self.steps > 1 else None

    def _draw(self, n: int, size: int, rng: torch.Generator) -> Tensor:
        return normal(n, size, rng, self.truncation)


def normal(n: int, size: int, rng: torch.Generator, truncation: float | None = None) -> Tensor:
    """n draws of z [n, size], standard normal, each coordinate given to lie within ±truncation."""
    if truncation is None:
        return torch.randn(n, size, generator=rng, device=rng.device)
    u = torch.rand(n, size, generator=rng, device=rng.device, dtype=torch.float64) * 2 - 1  # (-1, 1)
    inside = math.erf(truncation / math.sqrt(2))  # the normal's mass within the bounds
    return (math.sqrt(2) * torch.erfinv(u * inside)).float().clamp(-truncation, truncation)


def arc(z0: Tensor, z1: Tensor, t: Tensor) -> Tensor:
    """From z0 to z1 [R, D] at times t [S]: (sin((1 - t) w) z0 + sin(t w) z1) / sin w, [R, S, D]; w is their angle."""
    w = torch.cosine_similarity(z0, z1, dim=1).clamp(-1, 1).acos().view(-1, 1, 1)  # [R, 1, 1]
    t = t.view(1, -1, 1)
    a, b = z0.unsqueeze(1), z1.unsqueeze(1)
    bent = (((1 - t) * w).sin() * a + (t * w).sin() * b) / w.sin()
    return torch.where(w.sin() < 1e-3, (1 - t) * a + t * b, bent)  # in line, the quotient is 0/0


def _made(model: Any, z: Tensor, cond: Tensor | None) -> Tensor:
    """The samples of z, on the model's device."""
    place = next(model.parameters()).device
    x: Tensor = model.generate(z.to(place), cond)
    return x
