"""Drawing in the precision and the memory order that a sampler asks for, and nothing of it left behind."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gen.data import Split
from gen.errors import CommandError
from gen.precision import memory_order, settled
from gen.rows import TensorRows
from gen.sampling import draw, settle, translations
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
    with pytest.raises(RuntimeError, match="size of tensor"), memory_order(model, channels_last=True):
        torch.ones(2) + torch.ones(3)

    assert model.layer.weight.data_ptr() == before
    assert model.layer.weight.is_contiguous()


def test_a_model_trained_channels_last_draws_as_it_does_when_read_back(model):
    sampler = Asked()
    model.to(memory_format=torch.channels_last)

    draw(model, sampler, 2, seed=0, device=CPU)

    assert sampler.seen == (torch.float32, False)
    assert model.layer.weight.is_contiguous(memory_format=torch.channels_last)


def test_float32_is_float32_whatever_surrounds_the_draw(model):
    sampler = Asked()
    with torch.autocast("cpu", torch.bfloat16):
        draw(model, sampler, 2, seed=0, device=CPU)

    assert sampler.seen[0] == torch.float32


def test_fp16_without_a_gpu_is_refused():
    with pytest.raises(CommandError, match=r"^the sampler mine asks for fp16, which a CPU lacks: bf16 works here$"):
        settle(Asked("fp16"), "mine", CPU)


@pytest.mark.parametrize(("instructions", "warned"), [(True, False), (False, True)])
def test_emulated_bf16_is_warned_of(instructions, warned, monkeypatch):
    monkeypatch.setattr("gen.sampling.has_bf16", lambda device: instructions)
    said = "the sampler mine draws in bf16, which this device emulates, several times slower than fp32: "

    assert settle(Asked("bf16"), "mine", CPU).startswith(said) == warned
    assert settle(Asked(), "mine", CPU) == ""


def test_translations_are_drawn_as_the_sampler_asks(model):
    sampler = Asked("bf16", channels_last=True)
    spec = model.data
    split = Split(TensorRows(spec, torch.zeros(3, *spec.shape)), (), spec, False)

    made = dict(translations(model, sampler, split, "x", None, seed=0, device=CPU))

    assert sampler.seen == (torch.bfloat16, True)
    assert made[0].dtype == torch.float32


@pytest.mark.parametrize(("instructions", "precision"), [(True, "bf16"), (False, "fp32")])
def test_auto_is_bf16_where_the_device_has_instructions_for_it(instructions, precision, monkeypatch):
    monkeypatch.setattr("gen.precision.has_bf16", lambda device: instructions)

    assert settled("auto", CPU) == precision
    assert settled("fp16", CPU) == "fp16"
