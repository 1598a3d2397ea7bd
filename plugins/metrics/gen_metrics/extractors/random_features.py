"""Features of a random network: a ruler that needs no training and no download.

Random convolutions already tell textures and shapes apart (Saxe et al. 2011, On Random Weights and Unsupervised
Feature Learning). The features mean less than a classifier's; they are the same everywhere, for any data.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gen.component import component, option
from gen.interfaces import Extractor
from gen_metrics.extractors.trunk import make_trunk

__all__ = ["RandomFeatures"]


@component
class RandomFeatures(Extractor):
    """A fixed random network: the same weights for the same options and shapes, on every machine."""

    width: int = option(32, min=1, max=1024, doc="channels of the first convolution; they double twice")
    size: int = option(128, min=1, max=8192, doc="number of features D")
    weight_seed: int = option(0, min=0, max=2**31 - 1, doc="seed of the weights")

    def build(self) -> None:
        self.body = make_trunk(self.in_shape, self.width, self.size)
        rng = torch.Generator(device="cpu").manual_seed(self.weight_seed)
        layers = [layer for layer in self.body if isinstance(layer, (nn.Conv2d, nn.Linear))]
        with torch.no_grad():
            for layer in layers:
                fan_in = math.prod(layer.weight.shape[1:])
                drawn = torch.randn(layer.weight.shape, generator=rng, device="cpu") * math.sqrt(2 / fan_in)
                layer.weight.copy_(drawn)
                layer.bias.copy_(torch.randn(layer.bias.shape, generator=rng, device="cpu") * 0.1)
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)
