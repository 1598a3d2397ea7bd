"""Logarithm, differences and standardisation of a series, and the way back from forecasts to the original scale.

    y_t = (D ... D log x_t - m) / s,   D x_t = x_t - x_{t-lag}

Shapes: N values of the series, S steps ahead.
"""

from __future__ import annotations

import attrs
import torch
from torch import Tensor

from gen.errors import DataError

__all__ = ["Scale"]


@attrs.frozen
class Scale:
    """The changes, in their order: `log`, then differences at `lags`, then minus `mean`, divided by `spread`."""

    log: bool = False
    lags: tuple[int, ...] = ()
    mean: float = 0.0
    spread: float = 1.0

    @property
    def lost(self) -> int:
        """How many values at the beginning the differences use up."""
        return sum(self.lags)

    def forward(self, values: Tensor) -> Tensor:
        """Values [N] → changed values [N - lost].

        Raises:
            DataError: a logarithm of what is not positive, or fewer values than the differences use up.
        """
        if self.log and bool((values <= 0).any()):
            raise DataError(f"log needs values above 0, and there is {float(values.min()):g}: leave log out")
        if len(values) <= self.lost + 1:
            raise DataError(f"differences at {list(self.lags)} use up {self.lost} of {len(values)} values")
        y = values.log() if self.log else values
        for lag in self.lags:
            y = y[lag:] - y[:-lag]
        return (y - self.mean) / self.spread

    def back(self, ahead: Tensor, history: Tensor) -> Tensor:
        """Changed values [..., S] that follow the original values `history` [N] → original ones [..., S].

        The inverse of `forward` where `ahead` are the true ones; N must be at least `lost`.
        """
        y = ahead.double() * self.spread + self.mean
        pasts = [history.log() if self.log else history]
        for lag in self.lags[:-1]:
            pasts.append(pasts[-1][lag:] - pasts[-1][:-lag])
        for lag, past in zip(reversed(self.lags), reversed(pasts), strict=False):
            known = past[len(past) - lag :].expand(*y.shape[:-1], lag)
            values = list(known.unbind(-1))
            for step in y.unbind(-1):
                values.append(step + values[-lag])
            y = torch.stack(values[lag:], -1)
        return y.exp() if self.log else y
