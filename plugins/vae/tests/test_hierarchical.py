"""Two levels of latents: the bound on a linear-Gaussian chain with known evidence, and what the model can do."""

import math

import pytest
import torch

from gen.types import Batch, CondSpec, DataSpec, Domain, Progress
from gen_sdk.checks.building import copy_is_independent, meta_build_has_the_same_shapes, same_seed_gives_same_weights
from gen_sdk.checks.gradients import gradients_reach_every_parameter
from gen_sdk.checks.saving import safetensors_round_trip
from gen_sdk.oracles.linear_gaussian import LinearGaussian, gaussian_log_prob
from gen_vae.hierarchical import Hierarchical
from gen_vae.likelihoods.bernoulli import Bernoulli
from gen_vae.likelihoods.gaussian import Gaussian
from gen_vae.posteriors.gaussian import GaussianPosterior
from gen_vae.priors.mixture import Mixture
from gen_vae.priors.normal import Normal
from gen_vae.priors.vamp import Vamp
from gen_vae.samplers.prior import PriorSampler

X = torch.linspace(-1, 1, 30).view(5, 1, 2, 3)
BATCH = Batch(X, torch.tensor([0, 1, 2, 0, 1]), torch.arange(5))
NAMES = {"encoder": "encoder", "upper_encoder": "encoder", "upper_decoder": "decoder", "decoder": "decoder"}
PRIORS = {
    "normal": lambda wired: Normal(shape=wired.in_shape),
    "mixture": lambda wired: Mixture(components=3, shape=wired.in_shape),
    "vamp": lambda wired: Vamp(components=3, shape=wired.in_shape, out_shape=wired.out_shape),
}


@pytest.fixture(params=PRIORS)
def make(request, parts):
    torch.manual_seed(0)
    data = DataSpec.single(Domain((1, 2, 3)), CondSpec("class", 3))

    def made(**options):
        small = {"posterior": GaussianPosterior(), "likelihood": Bernoulli()}
        options = {"latent": 3, "upper": 2, "conditional": False, **options}
        wired = Hierarchical.wire(data, **small, **options)
        nets = {name: getattr(parts, kind)(wired[name]) for name, kind in NAMES.items()}
        return Hierarchical(data=data, prior=PRIORS[request.param](wired["prior"]), **nets, **small, **options)

    return made


@pytest.fixture
def chain(parts):
    """z2 ~ N(0, I), z = A z2 + noise, x = W z + b + noise, with diagonal posteriors: the model, and its evidence.

    z = sqrt(a^2 + c) z' with z' standard normal, so that q(z|x) is that of a one-level oracle with scaled columns.
    """
    a, c, flat = torch.tensor([0.9, 0.5]), 0.4, {"dtype": torch.float64}
    scale = (a.double() ** 2 + c).sqrt()
    one = LinearGaussian.example(4, 2, 0.3, torch.Generator().manual_seed(3))
    marginal = LinearGaussian(one.weight * scale, one.bias, one.c)

    def make(shift=0.0):
        nets = {
            "encoder": parts.affine(4, 4, torch.nn.Identity()),
            "upper_encoder": parts.affine(2, 4, torch.nn.Identity()),
            "upper_decoder": parts.affine(2, 4, torch.nn.Identity()),
            "decoder": parts.affine(2, 4, torch.nn.Identity()),
        }
        mean, covariance = marginal.posterior(torch.zeros(1, 4, **flat))
        slope = (marginal.posterior(torch.eye(4, **flat))[0] - mean) * scale
        silent = torch.zeros(2, 4, **flat)
        set_to(nets["encoder"], torch.cat([slope.T, silent]), mean[0] * scale + shift, covariance.diagonal() * scale**2)
        set_to(nets["upper_encoder"], stack(a / (a**2 + c)), torch.zeros(2), c / (a**2 + c))
        set_to(nets["upper_decoder"], stack(a), torch.zeros(2), torch.full((2,), c))
        with torch.no_grad():
            nets["decoder"].map.weight.copy_(one.weight)
            nets["decoder"].map.bias.copy_(one.bias)
        small = {"posterior": GaussianPosterior(), "likelihood": Gaussian(c=one.c), "prior": Normal(shape=(2,))}
        return Hierarchical(data=DataSpec.single(Domain((4,), "vector")), latent=2, upper=2, **nets, **small)

    covariance = marginal.weight @ marginal.weight.T + one.c * torch.eye(4, **flat)
    return make, marginal, lambda x: gaussian_log_prob(x - one.bias, covariance)


def stack(slope):
    """A map whose first half scales its input, and whose second half does not look at it."""
    return torch.cat([torch.diag(slope), torch.zeros(2, 2)])


def set_to(net, weight, bias, variance):
    with torch.no_grad():
        net.map.weight.copy_(weight)
        net.map.bias.copy_(torch.cat([bias, variance.log()]))


def loss(model):
    torch.manual_seed(1)
    return model.loss(BATCH, Progress(0, 1)).total


def test_bound_at_the_true_posteriors_is_the_evidence_at_every_draw(chain):
    make, marginal, evidence = chain
    torch.manual_seed(0)
    x, _ = marginal.sample(50, torch.Generator().manual_seed(1))

    torch.testing.assert_close(make().log_prob(x, draws=2), evidence(x), rtol=1e-6, atol=1e-6)


def test_bound_rises_with_the_draws_up_to_the_evidence(chain):
    make, marginal, evidence = chain
    torch.manual_seed(0)
    x = marginal.sample(1, torch.Generator().manual_seed(1))[0].expand(2000, -1)
    with torch.no_grad():
        one, five, many = (make(0.3).log_prob(x, draws=k) for k in (1, 5, 40))
    error = one.std().item() / math.sqrt(2000)

    assert one.mean() < five.mean() - 3 * error
    assert five.mean() < many.mean() < evidence(x[:1]).item() + error
    assert many.mean().item() == pytest.approx(evidence(x[:1]).item(), abs=0.05)


def test_loss_is_distortion_and_two_rates(make):
    model = make(beta=2.0, warmup=10, conditional=False)
    for training, weight in ((True, 1.0), (False, 2.0)):
        total, terms = model.train(training).loss(BATCH, Progress(5, 100))
        torch.testing.assert_close(total, terms["distortion"] + weight * (terms["rate"] + terms["upper_rate"]))
        assert set(terms) == {"distortion", "rate", "upper_rate", "active_units"}


def test_it_passes_the_checks(make):
    gradients_reach_every_parameter(make(), loss)
    same_seed_gives_same_weights(make)
    meta_build_has_the_same_shapes(make)
    copy_is_independent(make(), loss)
    safetensors_round_trip(make, loss)


def test_samples_start_from_the_upper_latents(make):
    model = make(conditional=True)
    rng = torch.Generator().manual_seed(0)
    for mean in (True, False):
        x = PriorSampler(mean=mean).sample(model, 6, rng=rng, cond=torch.arange(6) % 3)
        assert x.shape == (6, 1, 2, 3)
    assert model.encode(X, BATCH.cond).shape == (5, 3)
    assert model.reconstruct(X, BATCH.cond).shape == X.shape


def test_mixed_precision_leaves_the_densities_in_float32(make):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        total, terms = make().loss(BATCH, Progress(0, 1))

    assert {value.dtype for value in (total, *terms.values())} == {torch.float32}
