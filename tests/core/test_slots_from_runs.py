"""A slot of a component that nobody wires takes a trained part with the shapes it was trained at."""

from __future__ import annotations

import pytest
import torch

from gen.building import Builder
from gen.component import component, slot
from gen.errors import GenError
from gen.interfaces import Decoder, Sampler
from gen.loading import load
from gen.running import run


@component
class Guided(Sampler):
    """Draws by a part that it was handed."""

    guide: Decoder | None = slot(default=None)

    def sample(self, model, n, *, rng, cond=None, given=None, observe=None):
        assert self.guide is not None
        return self.guide(torch.randn(n, *self.guide.in_shape, generator=rng))


def make(toys, **slots):
    return Builder(toys, classes={"local/guided": Guided}).make({"use": "local/guided", **slots}, path="sample.guided")


def test_a_sampler_takes_a_part_of_a_run(tmp_path, toys, toy_recipe):
    done = run(toy_recipe(), runs=tmp_path, known=toys, quiet=True, device="cpu")
    sampler = make(toys, guide={"run": str(done.path), "part": "decoder", "weights": "raw"})
    trained = load(done.path, weights="raw", known=toys).model.decoder

    assert all(torch.equal(a, b) for a, b in zip(sampler.guide.parameters(), trained.parameters(), strict=True))
    assert sampler.sample(None, 3, rng=torch.Generator().manual_seed(0)).shape == (3, *trained.out_shape)


def test_an_untrained_network_in_such_a_slot_is_refused(toys):
    with pytest.raises(GenError, match=r"sample.guided.guide: .* gives local/decoder its shapes: take a trained part"):
        make(toys, guide="local/decoder")
