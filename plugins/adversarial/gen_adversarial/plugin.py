"""What gen-adversarial registers, under the namespace `adversarial` (torch-free)."""

from __future__ import annotations

from gen.hookspecs import Component, hookimpl

__all__ = ["gen_components"]


@hookimpl
def gen_components() -> list[Component]:
    return [
        Component("aae", "gen_adversarial.aae:AAE"),
        Component("avb", "gen_adversarial.avb:AVB"),
        Component("vae-gan", "gen_adversarial.vae_gan:VAEGAN"),
        Component("bigan", "gen_adversarial.bigan:BiGAN"),
        Component("ring-mixture", "gen_adversarial.priors.ring_mixture:RingMixture"),
        Component("swiss-roll", "gen_adversarial.priors.swiss_roll:SwissRoll"),
    ]
