"""What gen-vae registers, under the namespace `vae` (torch-free)."""

from __future__ import annotations

from gen.hookspecs import Component, hookimpl

__all__ = ["gen_components"]


@hookimpl
def gen_components() -> list[Component]:
    return [
        Component("ae", "gen_vae.ae:AE"),
        Component("dae", "gen_vae.dae:DAE"),
        Component("vae", "gen_vae.vae:VAE"),
        Component("hierarchical", "gen_vae.hierarchical:Hierarchical"),
        Component("vq", "gen_vae.vq:VQ"),
        Component("codebook", "gen_vae.quantizers.codebook:Codebook"),
        Component("fsq", "gen_vae.quantizers.fsq:FSQ"),
        Component("gaussian-posterior", "gen_vae.posteriors.gaussian:GaussianPosterior"),
        Component("bernoulli", "gen_vae.likelihoods.bernoulli:Bernoulli"),
        Component("gaussian", "gen_vae.likelihoods.gaussian:Gaussian"),
        Component("discretized-logistic", "gen_vae.likelihoods.discretized_logistic:DiscretizedLogistic"),
        Component("categorical", "gen_vae.likelihoods.categorical:Categorical"),
        Component("normal", "gen_vae.priors.normal:Normal"),
        Component("mixture", "gen_vae.priors.mixture:Mixture"),
        Component("vamp", "gen_vae.priors.vamp:Vamp"),
        Component("gaussian-noise", "gen_vae.corruptions.gaussian:GaussianNoise"),
        Component("masking", "gen_vae.corruptions.masking:Masking"),
        Component("salt-and-pepper", "gen_vae.corruptions.salt_and_pepper:SaltAndPepper"),
        Component("blur", "gen_vae.corruptions.blur:Blur"),
        Component("prior", "gen_vae.samplers.prior:PriorSampler"),
        Component("reconstruct", "gen_vae.samplers.reconstruct:Reconstruct"),
        Component("interpolate", "gen_vae.samplers.interpolate:Interpolate"),
        Component("traverse", "gen_vae.samplers.traverse:Traverse"),
        Component("latent-normal", "gen_vae.samplers.latent_normal:LatentNormal"),
        Component("latent-gaussian", "gen_vae.samplers.latent_gaussian:LatentGaussian"),
        Component("latent-mixture", "gen_vae.samplers.latent_mixture:LatentMixture"),
        Component("walk-back", "gen_vae.samplers.walk_back:WalkBack"),
    ]
