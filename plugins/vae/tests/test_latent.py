"""Densities fitted to codes: they find the density that codes have, and come back from their state."""

import operator

import pytest
import torch
from safetensors.torch import load, save

from gen.errors import GenError
from gen.types import Batch, Given
from gen_sdk.oracles.gaussian_mixture import GaussianMixture
from gen_vae.samplers.interpolate import Interpolate
from gen_vae.samplers.latent_gaussian import LatentGaussian
from gen_vae.samplers.latent_mixture import LatentMixture
from gen_vae.samplers.latent_normal import LatentNormal

SAMPLERS = [LatentNormal, LatentGaussian, LatentMixture]
every = pytest.mark.parametrize("made", SAMPLERS, ids=operator.attrgetter("__name__"))


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


class Glass(torch.nn.Module):
    """A model whose codes are the data themselves."""

    def encode(self, x, cond=None):
        return x

    def decode(self, z, cond=None):
        return z


def batches(x, size=500):
    for start in range(0, len(x), size):
        yield Batch(x[start : start + size], None, torch.arange(start, start + size))


@pytest.fixture
def mixture():
    flat = {"dtype": torch.float64}
    return GaussianMixture(
        torch.tensor([0.3, 0.7], **flat),
        torch.tensor([[-3.0, 1.0], [2.0, 0.0]], **flat),
        torch.tensor([[[0.3, 0.1], [0.1, 0.2]], [[0.5, -0.2], [-0.2, 0.4]]], **flat),
    )


def test_gaussian_has_the_mean_and_covariance_of_the_codes():
    codes = torch.randn(2000, 3, generator=rng(), dtype=torch.float64) @ torch.randn(3, 3, dtype=torch.float64) + 5
    sampler = LatentGaussian()
    sampler.fit(Glass(), batches(codes))
    learned = sampler.state()

    torch.testing.assert_close(learned["mean"], codes.mean(0))
    torch.testing.assert_close(learned["root"] @ learned["root"].T, codes.T.cov(correction=0), rtol=1e-4, atol=1e-4)
    draws = sampler.sample(Glass(), 50_000, rng=rng())
    torch.testing.assert_close(draws.T.cov(), codes.T.cov(), rtol=0.1, atol=0.1)


def test_mixture_finds_the_mixture_that_codes_follow(mixture):
    sampler, codes = LatentMixture(components=2), mixture.sample(4000, rng())
    sampler.fit(Glass(), batches(codes))
    learned = sampler.state()
    order = learned["weights"].argsort()

    torch.testing.assert_close(learned["weights"][order], mixture.weights, atol=0.03, rtol=0)
    torch.testing.assert_close(learned["means"][order], mixture.means, atol=0.1, rtol=0)
    draws = sampler.sample(Glass(), 4000, rng=rng())
    assert mixture.log_prob(draws).mean() > mixture.log_prob(codes).mean() - 0.1


def test_the_closer_the_density_the_likelier_its_draws(mixture):
    codes, nats = mixture.sample(4000, rng()), []
    for made in SAMPLERS:
        sampler = made()
        sampler.fit(Glass(), batches(codes))
        nats.append(mixture.log_prob(sampler.sample(Glass(), 2000, rng=rng())).mean().item())

    assert nats[0] < nats[1] < nats[2]


@every
def test_what_was_fitted_comes_back_from_safetensors(made, ae):
    model, sampler = ae(), made()
    sampler.fit(model, batches(torch.rand(60, 1, 2, 3, generator=rng())))
    again = made()
    again.restore(load(save(sampler.state())))
    x = again.sample(model, 7, rng=rng())

    assert x.shape == (7, 1, 2, 3)
    assert torch.equal(x, sampler.sample(model, 7, rng=rng()))
    assert not torch.equal(x, sampler.sample(model, 7, rng=rng(1)))


@every
def test_before_it_is_fitted_it_says_how_to(made, ae):
    assert made().state() == {}
    with pytest.raises(GenError, match="name it under sample: in the recipe"):
        made().sample(ae(), 3, rng=rng())


@every
def test_maps_and_labels_pass_through(made, ae):
    codes = torch.randn(50, 2, 3, 4, generator=rng())
    sampler = made()
    sampler.fit(Glass(), batches(codes))
    told = ae(conditional=True)
    labelled = made()
    labels = torch.arange(30) % 3
    labelled.fit(told, [Batch(torch.rand(30, 1, 2, 3, generator=rng()), labels, torch.arange(30))])

    assert sampler.sample(Glass(), 5, rng=rng()).shape == (5, 2, 3, 4)
    assert labelled.sample(told, 6, rng=rng(), cond=labels[:6]).shape == (6, 1, 2, 3)


@every
def test_it_looks_at_the_first_codes_up_to_its_limit(made):
    seen, sampler = [], made(limit=700)
    sampler.fit(Glass(), (seen.append(len(batch.x)) or batch for batch in batches(torch.rand(5000, 2))))

    assert sum(seen) == 1000


@every
def test_codes_that_never_vary_are_drawn_as_they_are(made):
    sampler = made()
    sampler.fit(Glass(), batches(torch.full((40, 3), 0.5)))
    x = sampler.sample(Glass(), 5, rng=rng())

    assert x.isfinite().all()
    if made is not LatentNormal:
        torch.testing.assert_close(x, torch.full((5, 3), 0.5), atol=1e-3, rtol=0)


@every
def test_tokens_have_no_density_of_this_kind(made):
    model = Glass()
    with pytest.raises(GenError, match="codes are tokens: try vae/reconstruct"):
        made().fit(model, batches(torch.ones(10, 2, dtype=torch.int64)))


def test_tokens_have_no_path_between_them():
    with pytest.raises(GenError, match="codes are tokens"):
        Interpolate().sample(Glass(), 4, rng=rng(), given=Given(x=torch.ones(4, 2, dtype=torch.int64)))
