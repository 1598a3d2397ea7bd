"""What gen-losses brings: the only place that gives these classes their names (torch-free)."""

from __future__ import annotations

from gen.hookspecs import Component, hookimpl

__all__ = ["gen_components"]


@hookimpl
def gen_components() -> list[Component]:
    return [
        Component("mse", "gen_losses.distances:SquaredError"),
        Component("l1", "gen_losses.distances:AbsoluteError"),
        Component("bernoulli", "gen_losses.distances:BernoulliCrossEntropy"),
        Component("ssim", "gen_losses.similarity:StructuralDissimilarity"),
        Component("contractive", "gen_losses.penalties:Contractive"),
        Component("sparse", "gen_losses.penalties:Sparse"),
    ]
