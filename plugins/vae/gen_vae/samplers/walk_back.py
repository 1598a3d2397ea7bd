"""The walk of a denoising autoencoder (Bengio et al. 2013, Generalized Denoising Auto-Encoders, arXiv:1305.6663).

    x~_t ~ C(x~|x_t),   x_{t+1} ~ p(x|x~_t)

Where the model knows p(x|x~), the chain's stationary distribution is that of the data (theorem 1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gen.component import component, option
from gen.errors import GenError
from gen.interfaces import Sampler
from gen.types import Given
from gen_vae.noise import normal_like, uniform_like
from gen_vae.samplers.placing import device_of

__all__ = ["WalkBack"]


@component
class WalkBack(Sampler):
    """Spoils and restores by turns, from uniform noise on; what it shows is the last restoration.

    p(x|x~) is taken as a Gaussian around the restoration, with the standard deviation `spread`: for squared errors
    the root of their mean. With 0 the walk only takes means, and drifts to the nearest likely sample.
    """

    needs = ("reconstruct",)
    steps: int = option(100, min=1, max=1_000_000, doc="turns of the walk")
    spread: float = option(0.0, min=0, max=1e6, doc="standard deviation of p(x|x~), in the data's scale")

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
        corruption = getattr(model, "corruption", None)
        if corruption is None:
            raise GenError(
                "vae/walk-back spoils samples as training did, and this model has no corruption: use vae/dae"
            )
        x = 2 * uniform_like(torch.empty(n, *model.data.shape, device=device_of(model)), rng) - 1
        for step in range(self.steps):
            shown = model.reconstruct(corruption(x, rng), cond)
            x = shown + self.spread * normal_like(shown, rng) if self.spread else shown
            if observe is not None:
                observe(step + 1, self.steps, shown)
        return shown
