"""What gen-gan registers, under the namespace `gan` (torch-free)."""

from __future__ import annotations

from gen.hookspecs import Component, hookimpl

__all__ = ["gen_components"]


@hookimpl
def gen_components() -> list[Component]:
    return [
        Component("gan", "gen_gan.gan:GAN"),
        Component("dcgan-generator", "gen_gan.networks.dcgan:DCGANGenerator"),
        Component("dcgan-discriminator", "gen_gan.networks.dcgan:DCGANDiscriminator"),
        Component("resnet-generator", "gen_gan.networks.resnet:ResNetGenerator"),
        Component("resnet-discriminator", "gen_gan.networks.resnet:ResNetDiscriminator"),
        Component("modern-generator", "gen_gan.networks.modern:ModernGenerator"),
        Component("modern-discriminator", "gen_gan.networks.modern:ModernDiscriminator"),
        Component("diff-augment", "gen_gan.augment:DiffAugment"),
        Component("latent", "gen_gan.sampler:Latent"),
    ]
