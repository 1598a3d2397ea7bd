"""What a plugin of each kind holds: the component, what uses it where no shipped plugin does, and what it trains with.

Torch-free: the components are named here, not imported.
"""

from __future__ import annotations

import attrs

__all__ = ["DEFAULT", "KINDS", "Example"]


@attrs.frozen
class Example:
    """The plugin written for a kind.

    `components` maps names to "module:Class" in `gen_sdk.templates.components`: the component of the kind comes first,
    then a model and a sampler that use it. `uses` are the namespaces of other plugins that the recipe needs.
    """

    kind: str
    components: dict[str, str]
    uses: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the component of the kind, without namespace."""
        return next(iter(self.components))

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules that hold the components."""
        return tuple(dict.fromkeys(target.partition(":")[0] for target in self.components.values()))


_VAE = ("data", "nets", "vae")
_GAN = {"tiny-gan": "tiny_gan:TinyGAN", "tiny-noise": "tiny_gan:TinyNoise"}
_DIFFUSION = {"tiny-diffusion": "tiny_diffusion:TinyDiffusion", "tiny-steps": "tiny_diffusion:TinySteps"}
_AUTOREGRESSION = {
    "tiny-autoregression": "tiny_autoregression:TinyAutoregression",
    "tiny-ancestral": "tiny_autoregression:TinyAncestral",
}

KINDS = {
    example.kind: example
    for example in (
        Example("encoder", {"patch-encoder": "patch_encoder:PatchEncoder"}, _VAE),
        Example("decoder", {"patch-decoder": "patch_decoder:PatchDecoder"}, _VAE),
        Example("generator", {"upsampling-generator": "upsampling_generator:UpsamplingGenerator", **_GAN}, ("data",)),
        Example("discriminator", {"conv-discriminator": "conv_discriminator:ConvDiscriminator", **_GAN}, ("data",)),
        Example("denoiser", {"conv-denoiser": "conv_denoiser:ConvDenoiser", **_DIFFUSION}, ("data",)),
        Example(
            "autoregressor",
            {"masked-autoregressor": "masked_autoregressor:MaskedAutoregressor", **_AUTOREGRESSION},
            ("data",),
        ),
        Example("extractor", {"edge-features": "edge_features:EdgeFeatures"}, ("data", "metrics", "nets", "vae")),
        Example("sampler", {"tempered-prior": "tempered_prior:TemperedPrior"}, _VAE),
        Example("posterior", {"laplace-posterior": "laplace_posterior:LaplacePosterior"}, _VAE),
        Example("likelihood", {"laplace-likelihood": "laplace_likelihood:LaplaceLikelihood"}, _VAE),
        Example("prior", {"logistic-prior": "logistic_prior:LogisticPrior"}, _VAE),
        Example("adversarial-loss", {"least-squares": "least_squares:LeastSquares", **_GAN}, ("data",)),
        Example("distance", {"charbonnier": "charbonnier:Charbonnier"}, _VAE),
        Example("corruption", {"box-erasure": "box_erasure:BoxErasure"}, _VAE),
        Example("weighting", {"min-snr": "min_snr:MinSNR", **_DIFFUSION}, ("data",)),
        Example("noise-schedule", {"logistic-schedule": "logistic_schedule:LogisticSchedule", **_DIFFUSION}, ("data",)),
        Example("regularizer", {"decorrelation": "decorrelation:Decorrelation"}, _VAE),
        Example("dataset", {"gratings": "gratings:Gratings"}, ("nets", "vae")),
        Example("transform", {"shift": "shift:Shift"}, _VAE),
        Example("metric", {"pixel-moments": "pixel_moments:PixelMoments"}, _VAE),
        Example("optimizer", {"lion": "lion:Lion"}, _VAE),
        Example("lr-schedule", {"restarts": "restarts:Restarts"}, _VAE),
        Example("tracker", {"csv-file": "csv_file:CSVFile"}, _VAE),
        Example(
            "model",
            {"wasserstein-autoencoder": "wasserstein_autoencoder:WassersteinAutoencoder"},
            _VAE,
        ),
    )
}
"""Every kind of gen.interfaces, and the plugin written for it."""

DEFAULT = "encoder"
