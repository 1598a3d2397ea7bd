"""What gen-metrics registers, under the namespace `metrics` (torch-free)."""

from __future__ import annotations

from gen.hookspecs import Component, hookimpl

__all__ = ["gen_components"]


@hookimpl
def gen_components() -> list[Component]:
    return [
        Component("mse", "gen_metrics.reconstruction:MSE"),
        Component("psnr", "gen_metrics.reconstruction:PSNR"),
        Component("ssim", "gen_metrics.reconstruction:SSIM"),
        Component("elbo", "gen_metrics.likelihood:Elbo"),
        Component("iwae-nll", "gen_metrics.likelihood:ImportanceNLL"),
        Component("bits-per-dim", "gen_metrics.likelihood:BitsPerDim"),
        Component("frechet", "gen_metrics.sets.frechet:Frechet"),
        Component("kernel-distance", "gen_metrics.sets.kernel_distance:KernelDistance"),
        Component("precision-recall", "gen_metrics.sets.precision_recall:PrecisionRecall"),
        Component("density-coverage", "gen_metrics.sets.density_coverage:DensityCoverage"),
        Component("nearest-neighbour", "gen_metrics.sets.nearest_neighbour:NearestNeighbour"),
        Component("class-entropy", "gen_metrics.sets.class_entropy:ClassEntropy"),
        Component("linear-probe", "gen_metrics.linear_probe:LinearProbe"),
        Component("latent-map", "gen_metrics.latent_map:LatentMap"),
        Component("parameters", "gen_metrics.cost:Parameters"),
        Component("seconds", "gen_metrics.cost:Seconds"),
        Component("random-features", "gen_metrics.extractors.random_features:RandomFeatures"),
        Component("inception", "gen_metrics.extractors.inception:Inception"),
        Component("classifier", "gen_metrics.extractors.classifier:Classifier"),
        Component("classifier-model", "gen_metrics.classifier_model:ClassifierModel"),
    ]
