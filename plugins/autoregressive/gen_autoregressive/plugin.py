"""What gen-autoregressive registers, under the namespace `autoregressive` (torch-free)."""

from __future__ import annotations

from gen.hookspecs import Component, hookimpl

__all__ = ["gen_components"]


@hookimpl
def gen_components() -> list[Component]:
    return [
        Component("image", "gen_autoregressive.image:AutoregressiveImage"),
        Component("bernoulli", "gen_autoregressive.likelihoods.bernoulli:Bernoulli"),
        Component("categorical", "gen_autoregressive.likelihoods.categorical:Categorical"),
        Component("logistic-mixture", "gen_autoregressive.likelihoods.logistic_mixture:LogisticMixture"),
        Component("made", "gen_autoregressive.networks.made:MADE"),
        Component("pixelcnn", "gen_autoregressive.networks.pixelcnn:PixelCNN"),
        Component("gated-pixelcnn", "gen_autoregressive.networks.gated_pixelcnn:GatedPixelCNN"),
        Component("pixelcnn-pp", "gen_autoregressive.networks.pixelcnn_pp:PixelCNNPP"),
        Component("pixelrnn-row", "gen_autoregressive.networks.pixelrnn_row:PixelRNNRow"),
        Component("pixelrnn-diagonal", "gen_autoregressive.networks.pixelrnn_diagonal:PixelRNNDiagonal"),
        Component("transformer", "gen_autoregressive.networks.transformer:Transformer"),
        Component("ancestral", "gen_autoregressive.samplers.ancestral:Ancestral"),
        Component("complete", "gen_autoregressive.samplers.complete:Complete"),
    ]
