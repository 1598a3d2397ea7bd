"""What a VAE is charged for its rate in training: warm-up and free bits. Evaluation charges the rate itself."""

from __future__ import annotations

from torch import Tensor

from gen.types import Progress

__all__ = ["free", "warmed"]


def warmed(beta: float, warmup: int, progress: Progress) -> float:
    """The weight of the rate: it rises linearly from 0 to beta over `warmup` steps (Bowman et al. 2015, 1511.06349)."""
    return beta * min(1.0, progress.step / warmup) if warmup else beta


def free(rate: Tensor, allowance: float) -> Tensor:
    """sum over groups of max(allowance, mean rate of the group) [], for rate [B, groups] in nats.

    Free bits (Kingma et al. 2016, arXiv:1606.04934, section C.8): what lies below the allowance is not worth saving.
    """
    return rate.mean(0).clamp(min=allowance).sum()
