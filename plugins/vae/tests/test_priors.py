"""Learned priors: densities that integrate to one, draws that follow them, and a VAE that trains them."""

import math
from copy import deepcopy

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from gen.errors import GenError
from gen.types import Batch, Progress
from gen_sdk.checks.building import copy_is_independent, meta_build_has_the_same_shapes
from gen_sdk.checks.gradients import gradients_reach_every_parameter
from gen_sdk.checks.saving import safetensors_round_trip
from gen_vae.posteriors.gaussian import GaussianPosterior
from gen_vae.priors.mixture import Mixture
from gen_vae.priors.vamp import Vamp

X = torch.linspace(-1, 1, 30).view(5, 1, 2, 3)
PRIORS = {
    "mixture": lambda: Mixture(components=3, shape=(2,)),
    "vamp": lambda: Vamp(components=3, shape=(2,), out_shape=(1, 2, 3)),
}


@pytest.fixture(params=PRIORS)
def make(request, vae):
    torch.manual_seed(0)
    return lambda **options: vae(prior=PRIORS[request.param](), **options)


def loss(model):
    torch.manual_seed(1)
    return model.loss(Batch(X, None, torch.arange(5)), Progress(0, 1)).total


@torch.no_grad()
def test_density_integrates_to_one_and_draws_follow_it(make):
    prior = make().prior.double()
    axis = torch.linspace(-9, 9, 121)
    z = torch.cartesian_prod(axis, axis)
    density = prior.float().log_prob(z).exp()
    cell = (axis[1] - axis[0]) ** 2
    draws = prior.sample(20_000, torch.Generator().manual_seed(0))

    assert (density.sum() * cell).item() == pytest.approx(1, abs=1e-3)
    torch.testing.assert_close(draws.mean(0), (density[:, None] * z).sum(0) * cell, atol=0.05, rtol=0)
    torch.testing.assert_close(draws.square().mean(0), (density[:, None] * z**2).sum(0) * cell, atol=0.1, rtol=0.05)


@torch.no_grad()
def test_mixture_is_torch_s():
    prior = Mixture(components=4, shape=(3,))
    for parameter in prior.parameters():
        parameter.normal_()
    parts = Independent(Normal(prior.means, (0.5 * prior.log_vars).exp()), 1)
    z = torch.randn(6, 3)

    torch.testing.assert_close(
        prior.log_prob(z), MixtureSameFamily(Categorical(logits=prior.logits), parts).log_prob(z)
    )


def test_vamp_is_the_mean_of_its_posteriors(vae):
    model = vae(prior=PRIORS["vamp"]())
    z, params = torch.randn(4, 2), model.encoder(model.prior.inputs)
    each = torch.stack([GaussianPosterior().log_prob(params[k : k + 1].expand(4, -1), z) for k in range(3)])

    torch.testing.assert_close(model.prior.log_prob(z), each.logsumexp(0) - math.log(3))


def test_pseudo_inputs_that_are_the_data_make_the_rate_an_information(vae):
    # E log q(z|x) - log 1/N sum_n q(z|x_n) is a mutual information: at most log N, whatever the draw at most as much.
    model = vae(prior=Vamp(components=5, shape=(2,), out_shape=(1, 2, 3)))
    model.prior.inputs.data.copy_(X)

    assert (model.bound(X)[1] <= math.log(5) + 1e-6).all()


def test_vamp_of_a_copied_model_is_made_of_the_copy_s_posteriors(vae):
    model, z = vae(prior=PRIORS["vamp"]()), torch.randn(4, 2)
    before, copy = model.prior.log_prob(z), deepcopy(model)
    for parameter in copy.encoder.parameters():
        parameter.data.add_(1.0)

    torch.testing.assert_close(model.prior.log_prob(z), before)
    assert not torch.allclose(copy.prior.log_prob(z), before)


def test_vamp_outside_a_model_says_where_it_belongs():
    with pytest.raises(GenError, match="vae/vamp is made of a model's posteriors"):
        PRIORS["vamp"]().sample(3)


def test_a_vae_trains_it_with_everything_else(make):
    gradients_reach_every_parameter(make(), loss)
    meta_build_has_the_same_shapes(make)
    copy_is_independent(make(), loss)
    safetensors_round_trip(make, loss)


def test_free_bits_of_a_prior_without_a_closed_form_count_the_code_as_one_group(make):
    plain, charged = make(), make(free_bits=50.0)
    charged.load_state_dict(plain.state_dict())
    torch.manual_seed(1)
    losses = charged.loss(Batch(X, None, torch.arange(5)), Progress(0, 1))

    torch.testing.assert_close(losses.total, losses.terms["distortion"] + 100.0)
    torch.testing.assert_close(losses.terms["distortion"] + losses.terms["rate"], loss(plain))
