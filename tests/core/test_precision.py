"""Drawing in the precision and the memory order that a sampler asks for, and nothing of it left behind."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gen.errors import CommandError
from gen.precision import settled, with_channels_last
from gen.sampling import draw
from gen_sdk.checks.analytic import analytic

CPU = torch.device("cpu")


class Asked:
    """A sampler with a convolution that tells how it was called."""

    given = ()

    def __init__(self, precision: str = "fp32", channels_last: bool = False) -> None:
        self.precision, self.channels_last = precision, channels_last

    def sample(self, model, n, *, rng, cond=None, given=None, observe=None):
        x = model.layer(torch.ones(n, 2, 4, 4))
        self.seen = x.dtype, x.is_contiguous(memory_format=torch.channels_last)
        return x


@pytest.fixture
def model():
    made = analytic()
    made.layer = nn.Conv2d(2, 3, 3)
    return made


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_networks_are_called_as_the_sampler_asks_and_samples_are_float32(model, precision, dtype, channels_last):
    sampler = Asked(precision, channels_last)

    x, _ = draw(model, sampler, 2, seed=0, device=CPU)

    assert sampler.seen == (dtype, channels_last)
    assert x.dtype == torch.float32


def test_the_model_has_its_own_memory_back_whatever_happens(model):
    before = model.layer.weight.data_ptr()
    with pytest.raises(RuntimeError, match="size of tensor"), with_channels_last(model):
        torch.ones(2) + torch.ones(3)

    assert model.layer.weight.data_ptr() == before
    assert model.layer.weight.is_contiguous()


def test_fp16_without_a_gpu_is_refused(model):
    with pytest.raises(CommandError, match=r"^a sampler's precision fp16 needs a GPU; bf16 works on this CPU$"):
        draw(model, Asked("fp16"), 2, seed=0, device=CPU)


@pytest.mark.parametrize(("instructions", "precision"), [(True, "bf16"), (False, "fp32")])
def test_auto_is_bf16_where_the_device_has_instructions_for_it(instructions, precision, monkeypatch):
    monkeypatch.setattr("gen.precision.has_bf16", lambda device: instructions)

    assert settled("auto", CPU) == precision
    assert settled("fp16", CPU) == "fp16"
