"""Estimators of an autoregression in closed form: least squares, Yule-Walker, Burg. All in float64, on the CPU.

    least squares   min sum_t (x_t - b - sum_k a_k x_{t-k})^2 over t >= K
    Yule-Walker     the sample autocovariances (divided by T), solved by Levinson and Durbin
    Burg (1975)     at every order the r that minimises the forward plus the backward errors

Yule-Walker and Burg give stationary processes, always; least squares gives what the data say. Several stretches are
pooled. Shapes: N stretches, T length, K order.
"""

from __future__ import annotations

import math

import attrs
import torch
from torch import Tensor

from gen.errors import DataError
from gen_series.law import coefficients_of, levinson

__all__ = ["Fit", "burg", "least_squares", "yule_walker"]


@attrs.frozen(eq=False)
class Fit:
    """Coefficients `a` [K], intercept `b`, noise variance `c`; `log_prob` is what the estimator maximised, in nats.

    `counted` values went into it.
    """

    a: Tensor
    b: float
    c: float
    log_prob: float
    counted: int

    def criterion(self, kind: str, intercept: bool) -> float:
        """AIC (Akaike 1974) or BIC (Schwarz 1978): the less, the better. Parameters: a, c and the intercept."""
        parameters = len(self.a) + 1 + int(intercept)
        return -2 * self.log_prob + parameters * (2.0 if kind == "aic" else math.log(self.counted))


def least_squares(x: Tensor, order: int, intercept: bool, skip: int | None = None) -> Fit:
    """Conditional least squares of stretches [N, T]; the first `skip` values (by default K) are not predicted.

    Raises:
        DataError: fewer values than unknowns, or values that are multiples of each other.
    """
    skip = order if skip is None else skip
    target = x[:, skip:].reshape(-1)  # [M]
    unknowns = order + int(intercept)
    if len(target) <= unknowns + 1:
        raise DataError(
            f"order {order} is too large for {x.shape[1]} values: {len(target)} equations, {unknowns + 1} unknowns"
        )
    columns = [x[:, skip - k : x.shape[1] - k].reshape(-1) for k in range(1, order + 1)]
    columns += [torch.ones_like(target)] if intercept else []
    if not columns:
        return _summed(x.new_zeros(0), 0.0, target)
    design = torch.stack(columns, 1)  # [M, K + 1]
    found = torch.linalg.lstsq(design, target, driver="gelsd")
    if int(found.rank) < unknowns:
        raise DataError(f"least squares of order {order} has no single answer: the series repeats itself exactly")
    weights = found.solution
    a, b = weights[:order], float(weights[order]) if intercept else 0.0
    return _summed(a, b, target - design @ weights)


def _summed(a: Tensor, b: float, errors: Tensor) -> Fit:
    c = _positive(float(errors.square().mean()))
    count = len(errors)
    return Fit(a, b, c, -0.5 * count * (math.log(2 * math.pi * c) + 1), count)


def yule_walker(x: Tensor, order: int, intercept: bool) -> Fit:
    """Moments: sample autocovariances divided by the number of values, so that they are positive semidefinite."""
    _long_enough(x, order)
    mean = float(x.mean()) if intercept else 0.0
    y = x - mean
    gamma = torch.stack([(y[:, : y.shape[1] - h] * y[:, h:]).sum() for h in range(order + 1)]) / y.numel()
    partials, variances = levinson(gamma)
    return _from_partials(partials, mean, variances[-1], y.numel())


def burg(x: Tensor, order: int, intercept: bool) -> Fit:
    """Burg's recursion (1975): harmonic means of forward and backward errors; no window is put on the data."""
    _long_enough(x, order)
    mean = float(x.mean()) if intercept else 0.0
    forward = backward = x - mean
    variance = forward.square().mean()
    partials = []
    for _ in range(order):
        ahead, behind = forward[:, 1:], backward[:, :-1]
        r = 2 * (ahead * behind).sum() / (ahead.square() + behind.square()).sum()
        forward, backward = ahead - r * behind, behind - r * ahead
        variance = variance * (1 - r.square())
        partials.append(r)
    return _from_partials(torch.stack(partials) if partials else x.new_zeros(0), mean, variance, x.numel())


def _from_partials(partials: Tensor, mean: float, variance: Tensor, count: int) -> Fit:
    a = coefficients_of(partials)
    c = _positive(float(variance))
    return Fit(a, mean * (1 - float(a.sum())), c, -0.5 * count * (math.log(2 * math.pi * c) + 1), count)


def _long_enough(x: Tensor, order: int) -> None:
    if x.shape[1] <= order + 2:
        raise DataError(f"order {order} is too large for {x.shape[1]} values: at least {order + 3} are needed")


def _positive(c: float) -> float:
    if not c > 0 or not math.isfinite(c):
        raise DataError("the series is predicted without any error (is it constant?): there is no noise to estimate")
    return c
