"""Paths between the codes of two given samples (the spherical one: White 2016, arXiv:1609.04468)."""

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

__all__ = ["Interpolate", "linear", "spherical"]


def linear(z0: Tensor, z1: Tensor, t: Tensor) -> Tensor:
    """(1 - t) z0 + t z1; z0 and z1 [R, *z], t [S] → [R, S, *z]."""
    t = t.view(1, -1, *[1] * (z0.dim() - 1))
    return (1 - t) * z0.unsqueeze(1) + t * z1.unsqueeze(1)


def spherical(z0: Tensor, z1: Tensor, t: Tensor) -> Tensor:
    """(sin((1 - t) w) z0 + sin(t w) z1) / sin w, w the angle between z0 and z1; linear where they are in line."""
    a, b = z0.flatten(1), z1.flatten(1)  # [R, D]
    cosine = torch.cosine_similarity(a, b, dim=1).clamp(-1, 1)
    w = cosine.acos().view(-1, 1, 1)  # [R, 1, 1]
    t = t.view(1, -1, 1)
    arc = (((1 - t) * w).sin() * a.unsqueeze(1) + (t * w).sin() * b.unsqueeze(1)) / w.sin()
    flat = w.sin() < 1e-3  # there the quotient is 0/0 in float32
    path = torch.where(flat, linear(a, b, t.flatten()), arc)  # [R, S, D]
    return path.unflatten(2, z0.shape[1:])


@component
class Interpolate(Sampler):
    """From one given sample to another through their codes: a row for each pair (1st and 2nd, 3rd and 4th …).

    The ends of a row are the reconstructions of its pair. A model with labels decodes with the label of the nearer end.
    """

    needs = ("encode", "decode")
    given = ("x",)
    steps: int = option(8, min=2, max=1000, doc="samples in a row, both ends included")
    path: str = option("linear", choices=("linear", "spherical"), doc="a straight line, or an arc of constant speed")

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
        x, labels = starts("vae/interpolate", given, cond, 2 * rows)
        z = real_codes(model, x, labels)  # [2 rows, *z]
        t = torch.linspace(0, 1, self.steps, device=z.device, dtype=z.dtype)
        walk = {"linear": linear, "spherical": spherical}[self.path](z[::2], z[1::2], t)  # [rows, steps, *z]
        if labels is not None:
            nearer = (t > 0.5).long()  # [steps]
            labels = labels.unflatten(0, (rows, 2))[:, nearer].flatten(0, 1)[:n]
        return model.decode(walk.flatten(0, 1)[:n], labels)

    def columns(self, n: int) -> int | None:
        return self.steps
