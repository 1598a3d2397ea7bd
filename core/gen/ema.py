"""Exponential moving averages of the weights, several decays at once."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

__all__ = ["Ema"]


class Ema:
    """Averages of chosen parameters; the first decay answers to the name `ema`, every one to `ema-DECAY`.

    Args:
        model: whose parameters are averaged.
        decays: share kept per step, in [0, 1).
        of: names of the parts to average; empty means all.
        start: steps before the averages begin to lag (until then they equal the weights).
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
        self._update = {decay: get_ema_multi_avg_fn(decay) for decay in self.averages}

    @property
    def labels(self) -> dict[str, float]:
        """Names of the averages, as samplers and `--weights` use them."""
        named = {f"ema-{decay:g}": decay for decay in self.averages}
        return {"ema": next(iter(self.averages)), **named}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Takes the weights after `step` into the averages."""
        for decay, average in self.averages.items():
            if step < self.start:
                torch._foreach_copy_(average, self._weights)
            else:
                self._update[decay](average, self._weights, step)

    def state(self, decay: float) -> dict[str, Tensor]:
        """One average, by parameter name."""
        return dict(zip(self.names, self.averages[decay], strict=True))

    @torch.no_grad()
    def restore(self, decay: float, state: dict[str, Tensor]) -> None:
        """The inverse of `state`."""
        for name, average in zip(self.names, self.averages[decay], strict=True):
            average.copy_(state[name])
