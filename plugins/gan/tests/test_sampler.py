"""The sampler: its distribution of z, truncation, paths."""

import math

import pytest
import torch

from gen.errors import GenError
from gen_gan.sampler import Latent, arc, normal


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_latents_are_standard_normal():
    z = normal(20_000, 3, rng())

    assert z.mean().item() == pytest.approx(0, abs=0.02)
    assert z.std().item() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("cut", [0.3, 1.0, 2.0])
def test_truncated_latents_have_the_variance_of_a_truncated_normal(cut):
    z = normal(40_000, 2, rng(), cut)
    density, mass = math.exp(-(cut**2) / 2) / math.sqrt(2 * math.pi), math.erf(cut / math.sqrt(2))

    assert z.abs().max() <= cut
    assert z.var().item() == pytest.approx(1 - 2 * cut * density / mass, rel=0.02)


def test_paths_have_constant_speed_and_end_where_they_should():
    z0, z1 = torch.randn(2, 3, 8, generator=rng())
    path = arc(z0, z1, torch.linspace(0, 1, 9))

    torch.testing.assert_close(path[:, 0], z0)
    torch.testing.assert_close(path[:, -1], z1)
    unit = arc(*(torch.nn.functional.normalize(z, dim=1) for z in (z0, z1)), torch.linspace(0, 1, 9))
    torch.testing.assert_close(unit.norm(dim=2), torch.ones(3, 9))
    lengths = unit.diff(dim=1).norm(dim=2)
    torch.testing.assert_close(lengths, lengths[:, :1].expand(-1, 8))


def test_path_between_equal_ends_stays_there():
    z = torch.randn(2, 8, generator=rng())

    torch.testing.assert_close(arc(z, z, torch.linspace(0, 1, 4)), z.unsqueeze(1).expand(-1, 4, -1))


def test_rows_of_paths_share_a_label(make):
    model = make(conditional=True).eval()
    told = []
    model.generator.register_forward_pre_hook(lambda _, given: told.append(given[1]))
    x = Latent(steps=4).sample(model, 10, rng=rng(), cond=torch.arange(10))

    assert x.shape == (10, 1, 8, 8)
    assert told[0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]
    assert Latent(steps=4).columns(10) == 4
    assert Latent().columns(10) is None


def test_samples_depend_on_the_generator_alone(make):
    model = make().eval()

    assert torch.equal(Latent().sample(model, 5, rng=rng(1)), Latent().sample(model, 5, rng=rng(1)))
    assert not torch.equal(Latent().sample(model, 5, rng=rng(1)), Latent().sample(model, 5, rng=rng(2)))


def test_models_without_a_latent_size_are_refused():
    with pytest.raises(GenError, match="draws z of a size that Linear does not state"):
        Latent().sample(torch.nn.Linear(1, 1), 2, rng=rng())
