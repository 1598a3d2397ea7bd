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
        Component("minimax", "gen_losses.adversarial:Minimax"),
        Component("non-saturating", "gen_losses.adversarial:NonSaturating"),
        Component("least-squares", "gen_losses.adversarial:LeastSquares"),
        Component("hinge", "gen_losses.adversarial:Hinge"),
        Component("wasserstein", "gen_losses.adversarial:Wasserstein"),
        Component("relativistic", "gen_losses.adversarial:Relativistic"),
        Component("gradient-penalty", "gen_losses.slopes:GradientPenalty"),
        Component("r1", "gen_losses.slopes:R1"),
        Component("r2", "gen_losses.slopes:R2"),
        Component("weight-clip", "gen_losses.slopes:WeightClip"),
        Component("feature-matching", "gen_losses.features:FeatureMatching"),
    ]
