"""Encoder and decoder make the same steps: every network and likelihood, short batches, labels, threads."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from gen_compression.figures import model_bits
from gen_compression.walk import encode, read

NETWORKS = ("made", "pixelcnn", "gated-pixelcnn", "pixelcnn-pp", "pixelrnn-row", "pixelrnn-diagonal", "transformer")
HOW: dict[str, Any] = {"batch": 3, "threads": 1, "terms": {}}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("likelihood", ["bernoulli", "categorical", "logistic-mixture"])
def test_images_come_back_exactly_and_cost_what_the_model_says(
    network: str, likelihood: str, build_image_model: Any
) -> None:
    """Five images of two channels in batches of three, float32; the bits are -log2 p(x) to a thousandth."""
    model, x = build_image_model(network, likelihood)

    writer, symbols = encode(model, x, None, **HOW)
    back, found = read(model, writer.bytes(), len(x), **HOW)

    assert back.dtype == torch.float32
    assert torch.equal(back, x)
    assert torch.equal(found, symbols)
    said = model_bits(model, x, None, 3)
    assert said is not None
    assert writer.bits == pytest.approx(said, rel=1e-3)
    assert 8 * len(writer.bytes()) <= writer.bits + 64


def test_labels_are_coded_with_the_images_that_they_tell_of(build_image_model: Any) -> None:
    model, x = build_image_model("made", "categorical", conditional=True)
    cond = torch.tensor([0, 2, 1, 1, 0])

    writer, _ = encode(model, x, cond, **HOW)
    back, _ = read(model, writer.bytes(), len(x), **HOW)
    said = model_bits(model, x, cond, 3)

    assert torch.equal(back, x)
    assert said is not None
    assert writer.bits == pytest.approx(said + 5 * torch.tensor(3.0).log2().item(), rel=1e-3)


def test_torch_is_left_as_it_was(build_image_model: Any) -> None:
    model, x = build_image_model("made", "bernoulli")
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()

    encode(model, x, None, batch=5, threads=2, terms={})

    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before
