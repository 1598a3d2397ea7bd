"""What gen-translation registers, under the namespace `translation` (torch-free)."""

from __future__ import annotations

from gen.hookspecs import Component, hookimpl

__all__ = ["gen_components"]


@hookimpl
def gen_components() -> list[Component]:
    return [
        Component("cyclegan", "gen_translation.cyclegan:CycleGAN"),
        Component("pix2pix", "gen_translation.pix2pix:Pix2Pix"),
        Component("resnet-generator", "gen_translation.resnet:ResNetGenerator"),
        Component("unet-generator", "gen_translation.unet:UNetGenerator"),
        Component("patch-discriminator", "gen_translation.patches:PatchDiscriminator"),
        Component("translate", "gen_translation.sampler:Translate"),
    ]
