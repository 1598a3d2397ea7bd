"""Gaussian maximum likelihood of an autoregression over whole stretches, the first values included.

    log p(x) = -1/2 sum_t (log(2 pi c f_t) + e_t^2 / (c f_t)),   c = mean of e_t^2 / f_t at the best

e_t and c f_t are the one-step errors and their variances (prediction-error decomposition; Brockwell and Davis 1991,
chapter 8). The search runs over unbounded numbers whose tanh are the partial autocorrelations, so that every step of
it, and its end, is stationary (Jones 1980).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gen.errors import DataError
from gen_series.estimators import Fit, burg
from gen_series.law import coefficients_of, innovations, partials_of

__all__ = ["maximum_likelihood"]

_CLOSEST = 0.9999


def maximum_likelihood(x: Tensor, order: int, intercept: bool) -> Fit:
    """Exact maximum likelihood of stretches [N, T], from Burg's estimate, by L-BFGS.

    Raises:
        DataError: the order is too large, or the series has no noise.
    """
    start = burg(x, order, intercept)
    scale = float(x.std())
    shift = float(x.mean()) if intercept else 0.0
    y = (x - shift) / scale
    raw = torch.atanh(partials_of(start.a).clamp(-_CLOSEST, _CLOSEST)).detach().clone().requires_grad_()
    mean = x.new_zeros((), requires_grad=True)
    free = [p for p, used in ((raw, order > 0), (mean, intercept)) if used]

    def value() -> Tensor:
        errors, ratios = innovations(y - mean, torch.tanh(raw))
        variance = (errors.square() / ratios).mean()
        return 0.5 * (variance.log() + ratios.log().mean() + math.log(2 * math.pi) + 1)  # nats per value

    with torch.enable_grad():
        _descend(value, free)
    with torch.no_grad():
        errors, ratios = innovations(y - mean, torch.tanh(raw))
        c = float((errors.square() / ratios).mean()) * scale**2
        per_value = float(value()) + math.log(scale)
        a = coefficients_of(torch.tanh(raw)).detach()
        if not math.isfinite(per_value) or c <= 0:
            raise DataError("the likelihood of this series has no maximum: it is predicted without any error")
        b = (shift + scale * float(mean)) * (1 - float(a.sum()))
    return Fit(a, b, c, -per_value * x.numel(), x.numel())


def _descend(value: Callable[[], Tensor], free: list[Tensor]) -> None:
    if not free:
        return
    search = torch.optim.LBFGS(
        free, max_iter=500, tolerance_grad=1e-10, tolerance_change=1e-15, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        search.zero_grad()
        loss = value()
        loss.backward()
        return loss

    search.step(closure)
