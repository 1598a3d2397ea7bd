"""What a network refuses, and the exact words: what it was given, what would fit."""

from __future__ import annotations

import pytest

from gen.errors import OptionError, ShapeError
from gen.types import CondSpec
from gen_nets.conv import ConvDecoder, ConvEncoder
from gen_nets.mlp import MLPDecoder, MLPEncoder
from gen_nets.resnet import ResNetDecoder


def build(case, image=(1, 8, 8), code=(5,), cond=None):
    cls, options = case
    ends = (image, code) if cls.kind == "encoder" else (code, image)
    return cls(in_shape=ends[0], out_shape=ends[1], cond=cond, **options)


@pytest.mark.parametrize(
    ("case", "image", "code", "message"),
    [
        (
            (ConvEncoder, {"depth": 3}),
            (1, 28, 28),
            (4,),
            "conv-encoder with depth 3 halves the side 3 times, so the sides must be divisible by 8; got 28x28: "
            "depth 2 fits, or pad to 32",
        ),
        (
            (ResNetDecoder, {"depth": 2}),
            (3, 30, 40),
            (4,),
            "resnet-decoder with depth 2 doubles the side 2 times, so the sides must be divisible by 4; got 30x40: "
            "depth 1 fits, or pad to 32x40",
        ),
        (
            (ConvDecoder, {"depth": 1}),
            (1, 27, 28),
            (4,),
            "conv-decoder with depth 1 doubles the side once, so the sides must be divisible by 2; got 27x28: "
            "pad to 28",
        ),
        (
            (ConvEncoder, {}),
            (1, 28, 28),
            (4, 14, 14),
            "conv-encoder with depth 2 turns 28x28 into 7x7, so it puts out a vector (D,) or a map (C, 7, 7); "
            "got (4, 14, 14): depth 1 fits",
        ),
        (
            (ResNetDecoder, {}),
            (1, 28, 28),
            (4, 5),
            "resnet-decoder with depth 2 turns 7x7 into 28x28, so it takes a vector (D,) or a map (C, 7, 7); "
            "got (4, 5)",
        ),
        (
            (ConvEncoder, {}),
            (2,),
            (4,),
            "conv-encoder reads images (C, H, W), got the shape (2,): mlp-encoder reads any shape",
        ),
        (
            (ResNetDecoder, {}),
            (2,),
            (4,),
            "resnet-decoder makes images (C, H, W), got the shape (2,): mlp-decoder makes any shape",
        ),
    ],
)
def test_misfit_says_what_would_fit(case, image, code, message):
    with pytest.raises(ShapeError) as caught:
        build(case, image, code)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("case", "cond", "message"),
    [
        (
            (ConvEncoder, {}),
            CondSpec("image", 1, (1, 8, 8)),
            "conv-encoder can be told a class or a vector, not an image: wire it without the condition",
        ),
        (
            (MLPDecoder, {"hidden": ()}),
            CondSpec("class", 3),
            "mlp-decoder has no hidden layer that could be told the condition: give `hidden` a width",
        ),
    ],
)
def test_condition_that_cannot_be_told_is_refused(case, cond, message):
    with pytest.raises(ShapeError) as caught:
        build(case, cond=cond)

    assert str(caught.value) == message


def test_option_out_of_bounds_is_refused():
    with pytest.raises(OptionError, match="hidden must be at least 1"):
        build((MLPEncoder, {"hidden": (0,)}))
    with pytest.raises(OptionError, match="norm must be one of none, batch, group, layer"):
        build((ConvEncoder, {"norm": "instance"}))


@pytest.mark.parametrize("deep", [2, 3, 4])
def test_suggested_depth_and_padding_do_fit(deep):
    side, padded = 3 * 2 ** (deep - 1), 2 * 2**deep
    with pytest.raises(ShapeError, match=f"depth {deep - 1} fits, or pad to {padded}$"):
        build((ConvEncoder, {"depth": deep, "width": 2}), (1, side, side))

    assert build((ConvEncoder, {"depth": deep - 1, "width": 2}), (1, side, side))
    assert build((ConvEncoder, {"depth": deep, "width": 2}), (1, padded, padded))
