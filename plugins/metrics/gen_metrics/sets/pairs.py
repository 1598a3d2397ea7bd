"""The two sets of features that neighbour metrics compare."""

from __future__ import annotations

from torch import Tensor

from gen.errors import CommandError
from gen.evaluate import Evaluation
from gen.interfaces import Extractor

__all__ = ["pair"]


def pair(evaluation: Evaluation, features: Extractor, samples: int, k: int) -> tuple[Tensor, Tensor]:
    """Real and generated features, each [N, D] in float64, as many of both: `samples`, or as many as there are.

    Raises:
        CommandError: there are not more than k of them.
    """
    n = min(samples, evaluation.size("real"), evaluation.size("generated"))
    if n <= k:
        raise CommandError(f"a {k}-th neighbour needs more than {k} samples of each set; there are {n}")
    return tuple(evaluation.features(features, of, n).double() for of in ("real", "generated"))  # type: ignore[return-value]
