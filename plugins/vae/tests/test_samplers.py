import math
import operator

import pytest
import torch

from gen.errors import GenError
from gen.types import Given
from gen_vae.samplers.interpolate import Interpolate, linear, spherical
from gen_vae.samplers.prior import PriorSampler
from gen_vae.samplers.reconstruct import Reconstruct
from gen_vae.samplers.traverse import Traverse

LABELS = torch.tensor([0, 1, 2, 0, 1, 2])
X = torch.linspace(-1, 1, 36).view(6, 1, 2, 3)
named = operator.attrgetter("__class__.__name__")
FROM_DATA = [Reconstruct(), Interpolate(), Interpolate(path="spherical"), Traverse()]


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


class Glass:
    """A model whose codes are the data [n, D] themselves, to see what a sampler does to codes."""

    def encode(self, x, cond=None):
        return x

    def decode(self, z, cond=None):
        return z if cond is None else torch.cat([z, cond[:, None]], dim=1)


def draw(sampler, model, n=7, seed=0, x=X, cond=None):
    return sampler.sample(model, n, rng=rng(seed), cond=cond, given=Given(x=x))


@pytest.mark.parametrize("sampler", [PriorSampler(), PriorSampler(mean=False), *FROM_DATA], ids=named)
@pytest.mark.parametrize("conditional", [False, True])
def test_a_sampler_gives_n_samples_in_range_without_gradients(sampler, conditional, vae):
    model = vae(conditional=conditional)
    x = draw(sampler, model, 6, cond=LABELS if conditional else None)

    assert x.shape == (6, 1, 2, 3)
    assert x.abs().max() <= 1
    assert not x.requires_grad


@pytest.mark.parametrize("mean", [True, False])
def test_a_generator_decides_the_samples_of_the_prior(vae, mean):
    model, sampler = vae(), PriorSampler(mean=mean)

    assert torch.equal(draw(sampler, model, 20), draw(sampler, model, 20))
    assert not torch.equal(draw(sampler, model, 20), draw(sampler, model, 20, seed=1))


def test_sampling_leaves_the_global_generator_alone(vae):
    model, before = vae(), torch.get_rng_state()
    for sampler in (PriorSampler(mean=False), *FROM_DATA):
        draw(sampler, model)

    assert torch.equal(torch.get_rng_state(), before)


def test_samples_of_the_prior_are_its_draws_decoded(vae):
    model = vae()

    torch.testing.assert_close(draw(PriorSampler(), model), model.decode(model.prior.sample(7, rng())))


def test_draws_of_the_likelihood_average_to_its_mean(vae):
    model, n = vae(), 4000
    z = torch.tensor([[0.4, -1.0]])
    draws = model.draw(z.expand(n, 2), rng=rng())

    assert ((draws.mean(0) - model.decode(z)[0]).abs() < 4 * draws.std(0) / math.sqrt(n)).all()


def test_a_draw_of_the_likelihood_needs_one(vae):
    model = type("NoLikelihood", (), {"prior": vae().prior})()

    with pytest.raises(GenError, match="vae/prior with mean: false draws from a likelihood"):
        draw(PriorSampler(mean=False), model)


def test_reconstructions_are_the_model_s(ae):
    model = ae(conditional=True)

    torch.testing.assert_close(draw(Reconstruct(), model, 6, cond=LABELS), model.reconstruct(X, LABELS))


def test_given_samples_are_used_again_when_there_are_too_few(ae):
    model = ae()

    torch.testing.assert_close(draw(Reconstruct(), model, 8), model.reconstruct(torch.cat([X, X[:2]])))


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_ends_of_an_interpolation_are_the_reconstructions_of_its_pair(vae, path):
    model, sampler = vae(conditional=True), Interpolate(steps=5, path=path)
    rows = draw(sampler, model, 15, cond=LABELS).unflatten(0, (3, 5))
    reconstructed = model.reconstruct(X, LABELS)

    assert sampler.columns(15) == 5
    torch.testing.assert_close(rows[:, 0], reconstructed[::2])
    torch.testing.assert_close(rows[:, -1], reconstructed[1::2])


def test_linear_interpolation_takes_equal_steps():
    z0, z1 = torch.randn(2, 3, 4, 2, 2)
    walk = linear(z0, z1, torch.linspace(0, 1, 5))

    torch.testing.assert_close(walk.diff(dim=1), ((z1 - z0) / 4)[:, None].expand(-1, 4, -1, -1, -1))


def test_spherical_interpolation_keeps_the_norm_at_constant_angular_speed():
    z = torch.nn.functional.normalize(torch.randn(2, 6, 5, dtype=torch.float64), dim=2)
    walk = spherical(z[0], z[1], torch.linspace(0, 1, 7, dtype=torch.float64))
    cosines = (walk[:, 1:] * walk[:, :-1]).sum(2)

    torch.testing.assert_close(walk.norm(dim=2), torch.ones(6, 7, dtype=torch.float64))
    torch.testing.assert_close(cosines, cosines[:, :1].expand_as(cosines))


def test_spherical_interpolation_between_codes_in_line_is_linear():
    z, t = torch.randn(3, 4), torch.linspace(0, 1, 5)

    for other in (z, 2 * z, -z):
        torch.testing.assert_close(spherical(z, other, t), linear(z, other, t))


def test_interpolation_takes_the_label_of_the_nearer_end():
    out = draw(Interpolate(steps=4), Glass(), 8, x=torch.randn(4, 2), cond=torch.tensor([0, 1, 2, 0]))

    assert out[:, -1].tolist() == [0, 0, 1, 1, 2, 2, 0, 0]


def test_traversal_walks_one_coordinate_a_row_over_the_span():
    codes, sampler = torch.randn(2, 3), Traverse(steps=5, span=2.0)
    rows = draw(sampler, Glass(), 5 * 4, x=codes).unflatten(0, (4, 5))

    assert sampler.columns(20) == 5
    for row, (code, coordinate) in enumerate([(0, 0), (0, 1), (0, 2), (1, 0)]):
        others = [i for i in range(3) if i != coordinate]
        torch.testing.assert_close(rows[row, :, coordinate], torch.linspace(-2, 2, 5))
        torch.testing.assert_close(rows[row][:, others], codes[code, others].expand(5, -1))


def test_traversal_keeps_the_label_of_the_sample():
    out = draw(Traverse(steps=2), Glass(), 6, x=torch.randn(3, 2), cond=torch.tensor([2, 1, 0]))

    assert out[:, -1].tolist() == [2, 2, 2, 2, 1, 1]


@pytest.mark.parametrize("sampler", FROM_DATA, ids=named)
def test_a_sampler_that_starts_from_data_says_so(sampler, vae):
    with pytest.raises(GenError, match=r"vae/\w+ starts from data: give it some"):
        sampler.sample(vae(), 4, rng=rng())
