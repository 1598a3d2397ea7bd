"""What gen-nets brings: the only place that gives these classes their names (torch-free)."""

from __future__ import annotations

from gen.hookspecs import Component, hookimpl

__all__ = ["gen_components"]


@hookimpl
def gen_components() -> list[Component]:
    return [
        Component("mlp-encoder", "gen_nets.mlp:MLPEncoder"),
        Component("mlp-decoder", "gen_nets.mlp:MLPDecoder"),
        Component("mlp-discriminator", "gen_nets.mlp:MLPDiscriminator"),
        Component("conv-encoder", "gen_nets.conv:ConvEncoder"),
        Component("conv-decoder", "gen_nets.conv:ConvDecoder"),
        Component("conv-discriminator", "gen_nets.conv:ConvDiscriminator"),
        Component("resnet-encoder", "gen_nets.resnet:ResNetEncoder"),
        Component("resnet-decoder", "gen_nets.resnet:ResNetDecoder"),
    ]
