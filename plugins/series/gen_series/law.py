"""What an autoregression's coefficients imply: partial autocorrelations, roots, the law of its first values, forecasts.

    x_t = b + sum_k a_k x_{t-k} + noise_t,   noise_t ~ N(0, c),   k = 1 … K

Coefficients and partial autocorrelations r are two ways to write the same process; it is stationary exactly where all
|r_k| < 1 (Durbin 1960; Barndorff-Nielsen and Schou 1973), that is where the roots of u^K - sum_k a_k u^(K-k) lie
inside the unit circle. Shapes: K order, B batch, T length of a series, S steps ahead.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["coefficients_of", "innovations", "levinson", "partials_of", "radius", "responses", "stages"]


def stages(partials: Tensor) -> list[Tensor]:
    """The coefficients of the best predictors from 0, 1, …, K values, K + 1 tensors (Durbin's recursion)."""
    a = partials[:0]
    found = [a]
    for r in partials:
        a = torch.cat([a - r * a.flip(0), r[None]])
        found.append(a)
    return found


def coefficients_of(partials: Tensor) -> Tensor:
    """Partial autocorrelations [K] → coefficients [K]."""
    return stages(partials)[-1]


def partials_of(a: Tensor) -> Tensor:
    """Coefficients [K] → partial autocorrelations [K]: Durbin's recursion backwards.

    Of a process that is not stationary some are of size 1 or more (or not finite); those after them mean nothing.
    """
    found = []
    while len(a):
        r = a[-1]
        found.append(r)
        a = (a[:-1] + r * a[:-1].flip(0)) / (1 - r.square())
    return torch.stack(found[::-1]) if found else a


def levinson(gamma: Tensor) -> tuple[Tensor, Tensor]:
    """Autocovariances [K + 1] → the partial autocorrelations [K] and innovation variances [K + 1] of orders 0 … K."""
    a, variances, partials = gamma[:0], [gamma[0]], []
    for k in range(1, len(gamma)):
        r = (gamma[k] - (a * gamma[1:k].flip(0)).sum()) / variances[-1]
        a = torch.cat([a - r * a.flip(0), r[None]])
        partials.append(r)
        variances.append(variances[-1] * (1 - r.square()))
    return torch.stack(partials) if partials else a, torch.stack(variances)


def radius(a: Tensor) -> float:
    """The largest size of the roots of u^K - sum_k a_k u^(K-k): below 1 the process is stationary."""
    if not len(a):
        return 0.0
    companion = torch.eye(len(a), dtype=torch.float64).roll(1, 0)
    companion[0] = a.detach().cpu().double()
    return float(torch.linalg.eigvals(companion).abs().max())


def innovations(y: Tensor, partials: Tensor) -> tuple[Tensor, Tensor]:
    """One-step errors [B, T] of stretches y [B, T] around their mean, and their variances [T] in units of c.

    The first K are predicted from as many values as there are; then the variance is 1. So a Gaussian density factors.
    """
    order = min(len(partials), y.shape[1])
    predictors = stages(partials)
    tail = (1 - partials.square()).flip(0).cumprod(0).flip(0)  # [K]: products over j >= t
    first = [y[:, t] - (y[:, :t] * predictors[t].flip(0)).sum(1) for t in range(order)]
    errors = [torch.stack(first, 1)] if first else []
    if y.shape[1] > order:
        rest = y[:, order:]
        if order:
            rest = rest - y[:, :-1].unfold(1, order, 1) @ predictors[-1].flip(0)  # [B, T - K, K]: the oldest first
        errors.append(rest)
    ones = tail.new_ones(y.shape[1] - order)
    return torch.cat(errors, 1), torch.cat([1 / tail[:order], ones])


def responses(a: Tensor, steps: int) -> Tensor:
    """What a unit of noise adds to its own value and to the following ones, [S]: the coefficients of the MA form."""
    impulse = [*a.new_zeros(len(a)), a.new_ones(())]
    for _ in range(steps - 1):
        impulse.append((torch.stack(impulse[len(impulse) - len(a) :]) * a.flip(0)).sum() if len(a) else a.new_zeros(()))
    return torch.stack(impulse[len(a) :])
