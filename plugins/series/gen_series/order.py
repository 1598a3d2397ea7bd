"""The order of an autoregression: as given, or the one of least AIC or BIC."""

from __future__ import annotations

import torch
from torch import Tensor

from gen_series.estimators import Fit, burg, least_squares, yule_walker
from gen_series.exact import maximum_likelihood

__all__ = ["ESTIMATORS", "fit"]

ESTIMATORS = ("ols", "yule-walker", "burg", "exact")


def fit(x: Tensor, estimator: str, order: int, intercept: bool, criterion: str | None = None) -> Fit:
    """Fits stretches [N, T] at this order, or with a `criterion` at the best of the orders 0 … `order`.

    Orders are compared on the same values: least squares then leaves out the first `order` of every stretch.
    """
    x = x.detach().cpu().to(torch.float64)
    if criterion is None:
        return _one(x, estimator, order, intercept, order)
    found = [_one(x, estimator, one, intercept, order) for one in range(order + 1)]
    best = min(range(order + 1), key=lambda one: found[one].criterion(criterion, intercept))
    return _one(x, estimator, best, intercept, best)


def _one(x: Tensor, estimator: str, order: int, intercept: bool, skip: int) -> Fit:
    if estimator == "ols":
        return least_squares(x, order, intercept, skip)
    return {"yule-walker": yule_walker, "burg": burg, "exact": maximum_likelihood}[estimator](x, order, intercept)
