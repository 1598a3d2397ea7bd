"""Denoising: corruptions, Tweedie's relation on densities with known scores, and the walk that samples."""

import math

import pytest
import torch

from gen.errors import GenError, ShapeError
from gen.types import Batch, DataSpec, Domain, Progress
from gen_sdk.oracles.gaussian_mixture import GaussianMixture
from gen_vae.corruptions.blur import Blur
from gen_vae.corruptions.gaussian import GaussianNoise
from gen_vae.corruptions.masking import Masking
from gen_vae.corruptions.salt_and_pepper import SaltAndPepper
from gen_vae.dae import DAE
from gen_vae.samplers.walk_back import WalkBack

CORRUPTIONS = {"gaussian": GaussianNoise(), "masking": Masking(), "pepper": SaltAndPepper(), "blur": Blur()}
X = torch.linspace(-0.9, 0.9, 30).view(5, 1, 2, 3)
every = pytest.mark.parametrize("corruption", CORRUPTIONS.values(), ids=CORRUPTIONS)


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def solved(parts):
    """A denoiser in closed form: least squares of clean x on features of noisy x, which is the least loss there is."""

    def solve(x, sigma, features=None):
        corruption, size = GaussianNoise(sigma=sigma), x.shape[1]
        noisy = corruption(x, rng(1))
        encoder = parts.affine(size, size if features is None else features, torch.nn.Identity())
        if features is not None:
            encoder = parts.affine(size, features, torch.nn.Tanh())
            torch.manual_seed(2)
            torch.nn.init.normal_(encoder.map.weight, std=1.5)
            torch.nn.init.uniform_(encoder.map.bias, -4, 4)
        else:
            torch.nn.init.eye_(encoder.map.weight)
            torch.nn.init.zeros_(encoder.map.bias)
        decoder = parts.affine(encoder.out_shape[0], size, torch.nn.Identity())
        with torch.no_grad():
            known = torch.cat([encoder(noisy), torch.ones(len(x), 1, dtype=x.dtype)], 1)
            answer = torch.linalg.lstsq(known, x, rcond=1e-6, driver="gelsd").solution  # features nearly depend
            decoder.map.weight.copy_(answer[:-1].T)
            decoder.map.bias.copy_(answer[-1])
        data = DataSpec.single(Domain((size,), "vector"))
        code = {"latent": encoder.out_shape[0], "distance": parts.squares, "corruption": corruption}
        return DAE(data=data, encoder=encoder, decoder=decoder, **code)

    return solve


@every
def test_a_generator_decides_what_is_lost(corruption):
    before = torch.get_rng_state()
    first = corruption(X, rng())

    assert first.shape == X.shape
    assert torch.equal(first, corruption(X, rng()))
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(first, X)


def test_masking_loses_its_share_and_keeps_the_rest():
    x = torch.rand(100, 200, generator=rng())
    spoiled = Masking(chance=0.3)(x, rng())
    lost = spoiled == -1

    assert lost.float().mean().item() == pytest.approx(0.3, abs=0.02)
    assert torch.equal(spoiled[~lost], x[~lost])


def test_salt_is_as_likely_as_pepper():
    x = torch.rand(100, 200, generator=rng()) * 0.9
    spoiled = SaltAndPepper(chance=0.4)(x, rng())

    for value in (-1, 1):
        assert (spoiled == value).float().mean().item() == pytest.approx(0.2, abs=0.02)


def test_gaussian_noise_has_its_standard_deviation():
    x = torch.zeros(100, 200)

    assert GaussianNoise(sigma=0.3)(x, rng()).std().item() == pytest.approx(0.3, rel=0.02)


def test_blur_keeps_flat_images_and_the_mean_of_a_point():
    flat, point = torch.full((2, 3, 9, 9), 0.4), torch.zeros(1, 1, 21, 21)
    point[..., 10, 10] = 1
    blurred = Blur(width=1.5)(point)
    axis = torch.arange(21.0) - 10

    torch.testing.assert_close(Blur(width=1.5)(flat), flat)
    assert blurred.sum().item() == pytest.approx(1, abs=1e-5)
    assert (blurred[0, 0].sum(0) * axis**2).sum().item() == pytest.approx(1.5**2, rel=0.05)


def test_blur_of_vectors_is_refused():
    with pytest.raises(ShapeError, match="vae/blur spoils images"):
        Blur()(torch.zeros(2, 3))


def test_the_best_denoiser_of_a_mixture_knows_its_score():
    mixture = GaussianMixture.example(3, 4, rng())
    x, sigma = mixture.noised(1, 0.7).sample(50, rng(1)), 0.7
    implied = (mixture.denoise(x, 1.0, sigma) - x) / sigma**2

    torch.testing.assert_close(implied, mixture.noised(1, sigma).score(x))


def test_score_of_a_linear_denoiser_on_gaussian_data_is_that_of_the_noisy_gaussian(solved):
    weights, sigma = torch.ones(1, dtype=torch.float64), 0.6
    gaussian = GaussianMixture.example(3, 1, rng())
    gaussian = GaussianMixture(weights, gaussian.means, gaussian.covariances)
    model = solved(gaussian.sample(100_000, rng(2)), sigma)
    x = gaussian.noised(1, sigma).sample(200, rng(3))

    torch.testing.assert_close(model.score(x), gaussian.noised(1, sigma).score(x), atol=0.1, rtol=0.03)


def test_a_trained_denoiser_knows_the_score_of_a_mixture(solved):
    flat = {"dtype": torch.float64}
    mixture = GaussianMixture(
        torch.tensor([0.4, 0.6], **flat), torch.tensor([[-1.5], [1.0]], **flat), torch.full((2, 1, 1), 0.1, **flat)
    )
    model, noisy = solved(mixture.sample(40_000, rng(2)), 0.5, features=60), mixture.noised(1, 0.5)
    x = noisy.sample(2000, rng(3))
    error = (model.score(x) - noisy.score(x)).square().mean() / noisy.score(x).square().mean()

    assert error < 0.01


def test_score_of_another_corruption_is_refused(dae):
    with pytest.raises(GenError, match="vae/gaussian-noise knows a score"):
        dae(corruption=Masking()).score(X)


@every
def test_a_dae_minimises_the_distance_from_the_clean_sample(corruption, dae):
    if isinstance(corruption, Blur):
        corruption = Blur(width=0.5)
    model = dae(corruption=corruption)
    torch.manual_seed(1)
    losses = model.loss(Batch(X, None, torch.arange(5)), Progress(0, 1))
    torch.manual_seed(1)
    wanted = (model.decoder(model.encoder(corruption(X))) - X).square().sum() / 5

    torch.testing.assert_close(losses.total, wanted)
    assert DAE.capabilities() == ("encode", "decode", "reconstruct")


def test_walk_with_the_true_conditional_stays_in_the_distribution_of_the_data(solved):
    # x ~ N(0, s^2): p(x|x~) has the variance v, and the walk forgets that it began with uniform noise.
    s, sigma = 0.8, 0.6
    model = solved(s * torch.randn(200_000, 1, generator=rng(), dtype=torch.float64), sigma).float()
    v, seen = (s * sigma) ** 2 / (s**2 + sigma**2), []
    walk = WalkBack(steps=40, spread=math.sqrt(v))
    x = walk.sample(model, 20_000, rng=rng(4), observe=lambda step, total, x: seen.append((step, total)))

    assert x.std().item() == pytest.approx(math.sqrt(s**2 - v), rel=0.03)  # it shows the means of draws v wide
    assert seen == [(step + 1, 40) for step in range(40)]


def test_walk_of_a_model_without_corruption_is_refused(ae):
    with pytest.raises(GenError, match="has no corruption: use vae/dae"):
        WalkBack().sample(ae(), 2, rng=rng())


def test_walk_draws_in_the_shape_of_the_data_and_as_its_generator_says(dae):
    model, before = dae(), torch.get_rng_state()
    x = WalkBack(steps=3, spread=0.1).sample(model, 4, rng=rng())

    assert x.shape == (4, 1, 2, 3)
    assert torch.equal(x, WalkBack(steps=3, spread=0.1).sample(model, 4, rng=rng()))
    assert torch.equal(torch.get_rng_state(), before)
