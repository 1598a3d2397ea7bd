"""IWAE-k on a linear-Gaussian model with known evidence, and what training is charged for its rate."""

import math
from itertools import pairwise

import pytest
import torch

from gen.errors import OptionError, ShapeError
from gen.types import Batch, DataSpec, Domain, Progress
from gen_vae.charge import warmed
from gen_vae.diagnostics import active_units, perplexity
from gen_vae.likelihoods.categorical import Categorical
from gen_vae.likelihoods.discretized_logistic import DiscretizedLogistic
from gen_vae.priors.normal import Normal
from gen_vae.priors.vamp import Vamp

ROWS = 2000
X = torch.linspace(-1, 1, 30).view(5, 1, 2, 3)
BATCH = Batch(X, torch.tensor([0, 1, 2, 0, 1]), torch.arange(5))


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def loss(model, step=0):
    torch.manual_seed(1)
    return model.loss(BATCH, Progress(step, 100))


@torch.no_grad()
def test_bounds_rise_with_the_draws_up_to_the_evidence(oracle, linear_vae):
    model, x = linear_vae(0.5, 1.4), oracle.sample(1, torch.Generator().manual_seed(1))[0].expand(ROWS, -1)
    bounds = [model.log_prob(x, draws=k) for k in (1, 2, 5, 25)]
    errors = [bound.std().item() / math.sqrt(ROWS) for bound in bounds]
    means = [bound.mean().item() for bound in bounds]

    for (low, high), (one, other) in zip(pairwise(means), pairwise(errors), strict=True):
        assert high - low > 3 * math.hypot(one, other)
    evidence = oracle.log_prob(x[:1]).item()
    assert means[-1] < evidence + 4 * errors[-1]
    assert means[-1] == pytest.approx(evidence, abs=0.05)


def test_importance_weighted_bound_at_the_true_posterior_is_the_evidence_at_every_draw(oracle, linear_vae):
    x, _ = oracle.sample(20, torch.Generator().manual_seed(1))

    torch.testing.assert_close(linear_vae().log_prob(x, draws=3), oracle.log_prob(x), rtol=1e-9, atol=1e-9)


def test_importance_weighted_loss_at_the_true_posterior_is_the_evidence(oracle, linear_vae):
    model, (x, _) = linear_vae(), oracle.sample(20, torch.Generator().manual_seed(1))
    model.importance = 4
    losses = model.loss(Batch(x, None, torch.arange(20)), Progress(0, 1))

    torch.testing.assert_close(-losses.total, oracle.log_prob(x).mean(), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(losses.total, losses.terms["distortion"] + losses.terms["rate"])


def test_option_draws_decides_log_prob(vae):
    model = vae(draws=7)
    torch.manual_seed(1)
    by_option = model.log_prob(X)
    torch.manual_seed(1)

    torch.testing.assert_close(by_option, model.log_prob(X, draws=7))
    assert model.log_prob_kind == "lower bound"


def test_importance_weighted_loss_is_a_bound_for_labels_too(vae):
    model = vae(conditional=True, importance=3)

    assert loss(model).total.isfinite()
    assert model.log_prob(X, BATCH.cond, draws=4).shape == (5,)


def test_free_bits_and_importance_exclude_each_other(vae):
    with pytest.raises(OptionError, match="set one of them"):
        vae(importance=2, free_bits=0.1)


@pytest.mark.parametrize(("step", "weight"), [(0, 0.0), (5, 1.0), (10, 2.0), (50, 2.0)])
def test_weight_of_the_rate_rises_to_beta_in_training(vae, step, weight):
    model = vae(beta=2.0, warmup=10)
    losses = loss(model, step)

    assert warmed(2.0, 10, Progress(step, 100)) == weight
    torch.testing.assert_close(losses.total, losses.terms["distortion"] + weight * losses.terms["rate"])
    losses = loss(model.eval(), step)
    torch.testing.assert_close(losses.total, losses.terms["distortion"] + 2 * losses.terms["rate"])


def test_free_bits_charge_each_dimension_at_least_its_allowance(vae):
    model = vae(free_bits=0.3)
    rates = model.posterior.kl_per_dimension(model.encoder(X)).mean(0)
    losses = loss(model)

    torch.testing.assert_close(losses.total, losses.terms["distortion"] + rates.clamp(min=0.3).sum())
    torch.testing.assert_close(losses.terms["rate"], rates.sum())
    losses = loss(model.eval())
    torch.testing.assert_close(losses.total, losses.terms["distortion"] + losses.terms["rate"])


def test_a_dimension_below_its_allowance_gets_no_gradient_of_the_rate(vae):
    model = vae(free_bits=1e3)
    model.posterior.rsample = lambda params: params.chunk(2, 1)[0].detach()
    loss(model).total.backward()

    assert not model.encoder.leave.weight.grad.any()


def test_active_units_are_those_whose_mean_varies():
    means = torch.randn(64, 5) * torch.tensor([1.0, 0.5, 0.15, 0.03, 0.0])

    assert active_units(means + 7).item() == 3
    assert active_units(means[:1]).item() == 0


def test_perplexity_runs_from_one_code_to_all():
    assert perplexity(torch.tensor([0.0, 9.0, 0.0])).item() == pytest.approx(1)
    assert perplexity(torch.full((8,), 3.0)).item() == pytest.approx(8)


@pytest.mark.parametrize("likelihood", [DiscretizedLogistic(levels=17), Categorical(levels=17)])
def test_levels_of_likelihood_and_data_must_agree(vae, likelihood):
    assert vae(DataSpec.single(Domain((1, 2, 3), levels=17)), likelihood=likelihood)
    with pytest.raises(ShapeError, match="counts 17 levels, but the data have 256: give it levels: 256"):
        vae(DataSpec.single(Domain((1, 2, 3), levels=256)), likelihood=likelihood)


def test_a_prior_of_unlabelled_posteriors_refuses_labels(vae):
    with pytest.raises(ShapeError, match="set conditional: false"):
        vae(conditional=True, prior=Vamp(components=3, shape=(2,), out_shape=(1, 2, 3)))
    assert isinstance(vae(conditional=True).prior, Normal)
