"""Exponential moving averages of the weights, several decays at once.

    ema_k = d_k ema_(k-1) + (1 - d_k) w_k,    d_k = min(decay, (1 + k) / (10 + k))

k counts steps. The growing decay keeps the random weights of the first steps from lingering in the averages.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

__all__ = ["Ema"]


class Ema:
    """Averages of chosen parameters; the first decay answers to the name `ema`, every one to `ema-DECAY`.

    Args:
        model: whose parameters are averaged.
        decays: share kept per step, in [0, 1).
        of: names of the parts to average; empty means all.
        start: steps before the averages begin (until then they equal the weights); k counts from there.
    """

    def __init__(self, model: nn.Module, decays: Iterable[float], of: Iterable[str] = (), start: int = 0) -> None:
        parts = tuple(of)
        chosen = {
            name: parameter
            for name, parameter in model.named_parameters()
            if not parts or name.partition(".")[0] in parts
        }
        self.start = start
        self.names = list(chosen)
        self._weights: list[Tensor] = [parameter.detach() for parameter in chosen.values()]
        self.averages = {decay: [weight.clone() for weight in self._weights] for decay in decays}

    @property
    def labels(self) -> dict[str, float]:
        """Names of the averages, as samplers and `--weights` use them."""
        named = {f"ema-{decay:g}": decay for decay in self.averages}
        return {"ema": next(iter(self.averages)), **named}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Takes the weights after `step` into the averages."""
        for decay, average in self.averages.items():
            k = step - self.start
            rate = min(decay, (1 + k) / (10 + k)) if k > 0 else 0.0
            torch._foreach_lerp_(average, self._weights, 1 - rate)

    def state(self, decay: float) -> dict[str, Tensor]:
        """One average, by parameter name."""
        return dict(zip(self.names, self.averages[decay], strict=True))

    @torch.no_grad()
    def restore(self, decay: float, state: dict[str, Tensor]) -> None:
        """The inverse of `state`."""
        for name, average in zip(self.names, self.averages[decay], strict=True):
            average.copy_(state[name])
