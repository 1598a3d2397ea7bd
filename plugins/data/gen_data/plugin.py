"""What gen-data registers: the only place that mentions the names (torch-free)."""

from __future__ import annotations

from gen.hookspecs import Component, hookimpl

__all__ = ["gen_components"]


@hookimpl
def gen_components() -> list[Component]:
    """The data sets and transforms of the namespace `data`."""
    return [
        Component("digits", "gen_data.digits:Digits"),
        Component("digit-domains", "gen_data.digit_domains:DigitDomains"),
        Component("mnist", "gen_data.mnist:Mnist"),
        Component("fashion-mnist", "gen_data.mnist:FashionMnist"),
        Component("images", "gen_data.images:Images"),
        Component("unpaired", "gen_data.unpaired:Unpaired"),
        Component("paired", "gen_data.paired:Paired"),
        Component("arrays", "gen_data.arrays:Arrays"),
        Component("points2d", "gen_data.points2d:Points2d"),
        Component("resize", "gen_data.transforms.resize:Resize"),
        Component("pad", "gen_data.transforms.pad:Pad"),
        Component("crop", "gen_data.transforms.crop:Crop"),
        Component("flip", "gen_data.transforms.flip:Flip"),
        Component("grayscale", "gen_data.transforms.grayscale:Grayscale"),
        Component("range", "gen_data.transforms.range:Range"),
        Component("binarize", "gen_data.transforms.binarize:Binarize"),
        Component("dequantize", "gen_data.transforms.dequantize:Dequantize"),
    ]
