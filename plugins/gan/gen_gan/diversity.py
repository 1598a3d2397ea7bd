"""The alarm for mode collapse: how much a batch of samples varies, beside a batch of data."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["ALARM", "Alarm", "diversity"]


class Alarm(NamedTuple):
    """When to look at the diversity (turns of the generator), and below what to warn."""

    every: int = 250
    below: float = 0.05

    def text(self, step: int, value: float) -> str:
        return (
            f"step {step}: the samples vary {100 * value:.1f} % as much as the data: it may have collapsed. "
            f"A gradient penalty (losses/r1), gan/diff-augment, spectral norm or a lower rate help"
        )


ALARM = Alarm()


@torch.no_grad()
def diversity(fake: Tensor, real: Tensor) -> Tensor:
    """Total variance of a batch of samples over that of a batch of data, []: 0 after collapse, near 1 otherwise.

    Half the mean squared distance of two samples, of either kind. It sees a collapse to one mode, not to a few that
    lie far apart: for that measure `metrics/class-entropy` or `metrics/density-coverage`.
    """
    return _variance(fake) / _variance(real).clamp_min(1e-12)


def _variance(x: Tensor) -> Tensor:
    return x.float().flatten(1).var(0, correction=0).sum()
