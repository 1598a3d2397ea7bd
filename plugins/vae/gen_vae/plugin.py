"""What gen-vae registers, under the namespace `vae` (torch-free)."""

from __future__ import annotations

from gen.hookspecs import Component, hookimpl

__all__ = ["gen_components"]


@hookimpl
def gen_components() -> list[Component]:
    return [
        Component("ae", "gen_vae.ae:AE"),
        Component("vae", "gen_vae.vae:VAE"),
        Component("gaussian-posterior", "gen_vae.posteriors.gaussian:GaussianPosterior"),
        Component("bernoulli", "gen_vae.likelihoods.bernoulli:Bernoulli"),
        Component("gaussian", "gen_vae.likelihoods.gaussian:Gaussian"),
        Component("discretized-logistic", "gen_vae.likelihoods.discretized_logistic:DiscretizedLogistic"),
        Component("categorical", "gen_vae.likelihoods.categorical:Categorical"),
        Component("normal", "gen_vae.priors.normal:Normal"),
        Component("mixture", "gen_vae.priors.mixture:Mixture"),
        Component("vamp", "gen_vae.priors.vamp:Vamp"),
        Component("prior", "gen_vae.samplers.prior:PriorSampler"),
        Component("reconstruct", "gen_vae.samplers.reconstruct:Reconstruct"),
        Component("interpolate", "gen_vae.samplers.interpolate:Interpolate"),
        Component("traverse", "gen_vae.samplers.traverse:Traverse"),
    ]
