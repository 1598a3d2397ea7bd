"""What vae/ae and vae/vae compute, refuse and can do."""

import math

import pytest
import torch
from torch.nn import functional as F

from gen.errors import GenError, OptionError, ShapeError
from gen.types import Batch, DataSpec, Domain, Progress, Shapes
from gen_sdk.checks.building import copy_is_independent, meta_build_has_the_same_shapes, same_seed_gives_same_weights
from gen_sdk.checks.gradients import gradients_reach_every_parameter
from gen_sdk.checks.rows import rows_are_independent
from gen_sdk.checks.saving import safetensors_round_trip
from gen_vae.ae import AE
from gen_vae.dae import DAE
from gen_vae.likelihoods.bernoulli import Bernoulli
from gen_vae.likelihoods.gaussian import Gaussian
from gen_vae.posteriors.gaussian import GaussianPosterior
from gen_vae.vae import VAE

UNLABELLED = DataSpec.single(Domain((1, 2, 3)))
LABELS = torch.tensor([0, 1, 2, 0, 1])
X = torch.linspace(-1, 1, 30).view(5, 1, 2, 3)
BATCH = Batch(X, LABELS, torch.arange(5))
PROGRESS = Progress(0, 10)


@pytest.fixture(params=["ae", "dae", "vae", "conditional vae"])
def make(request, ae, dae, vae):
    """How to build each model."""
    torch.manual_seed(0)
    return {"ae": ae, "dae": dae, "vae": vae, "conditional vae": lambda: vae(conditional=True)}[request.param]


def loss(model):
    torch.manual_seed(1)
    return model.loss(BATCH, PROGRESS)


def test_every_build_passes_the_checks(make):
    same_seed_gives_same_weights(make)
    meta_build_has_the_same_shapes(make)
    copy_is_independent(make(), lambda model: loss(model).total)
    safetensors_round_trip(make, lambda model: loss(model).total)
    gradients_reach_every_parameter(make(), lambda model: loss(model).total)
    rows_are_independent(make().eval().reconstruct, X, LABELS)


def test_its_one_phase_is_called_model_and_trains_every_parameter(make):
    model = make()
    (phase,) = model.phases()
    trained = {id(parameter) for part in phase.train for parameter in part.parameters()}

    assert (phase.name,) == model.phase_names == ("model",)
    assert trained == {id(parameter) for parameter in model.parameters()}


def test_reconstructing_is_encoding_then_decoding(make):
    model = make()

    torch.testing.assert_close(model.reconstruct(X, LABELS), model.decode(model.encode(X, LABELS), LABELS))


def test_loss_is_a_mean_over_the_batch(make):
    model = make()
    if isinstance(model, VAE):  # without draws, to compare batches of different sizes
        model.posterior.rsample = model.posterior.mean
    if isinstance(model, DAE):
        model.sees = lambda x: x
    twice = Batch(X.repeat(2, 1, 1, 1), LABELS.repeat(2), torch.arange(10))

    torch.testing.assert_close(model.loss(twice, PROGRESS).total, model.loss(BATCH, PROGRESS).total)


def test_autoencoder_minimises_its_distance(ae):
    model = ae()
    wanted = (model.decoder(model.encoder(X)) - X).square().sum() / 5
    losses = model.loss(BATCH, PROGRESS)

    torch.testing.assert_close(losses.total, wanted)
    torch.testing.assert_close(losses.terms["distance"], wanted)


def test_autoencoder_shows_what_its_distance_says(ae):
    model = ae()
    z = torch.randn(3, 2)

    torch.testing.assert_close(model.decode(z), 0.5 * model.decoder(z))


@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
def test_beta_scales_the_rate_alone(vae, beta):
    torch.manual_seed(0)
    plain = loss(vae())
    torch.manual_seed(0)
    scaled = loss(vae(beta=beta))

    assert scaled.terms == plain.terms
    torch.testing.assert_close(scaled.total, plain.terms["distortion"] + beta * plain.terms["rate"])


@pytest.mark.parametrize("side", [4, 8])
def test_distortion_counts_every_pixel_in_nats(vae, side):
    model = vae(DataSpec.single(Domain((1, side, side))))
    for parameter in model.decoder.parameters():
        parameter.data.zero_()  # logits 0: every pixel is a fair coin
    x = torch.ones(3, 1, side, side)
    losses = model.loss(Batch(x, None, torch.arange(3)), PROGRESS)

    assert losses.terms["distortion"].item() == pytest.approx(side**2 * math.log(2), rel=1e-6)


def test_loss_is_the_textbook_formula(vae):
    model = vae()
    torch.manual_seed(1)
    mu, log_var = model.encoder(X).chunk(2, dim=1)
    logits = model.decoder(mu + (0.5 * log_var).exp() * torch.randn_like(mu))
    distortion = F.binary_cross_entropy_with_logits(logits, (X + 1) / 2, reduction="sum") / 5
    rate = -0.5 * (1 + log_var - mu.square() - log_var.exp()).sum() / 5

    torch.testing.assert_close(loss(model).total, distortion + rate)


def test_vae_shows_means(vae):
    model = vae(likelihood=Gaussian(c=0.5))
    z = torch.randn(3, 2)

    torch.testing.assert_close(model.decode(z), model.decoder(z))
    torch.testing.assert_close(model.generate(z), model.decode(z))
    torch.testing.assert_close(model.encode(X), model.encoder(X)[:, :2])


def test_labels_change_code_and_picture_of_a_conditional_model(vae):
    model, other = vae(conditional=True), (LABELS + 1) % 3
    z = torch.randn(5, 2)

    assert not torch.allclose(model.encode(X, LABELS), model.encode(X, other))
    assert not torch.allclose(model.decode(z, LABELS), model.decode(z, other))


def test_labels_do_not_reach_an_unconditional_model(make):
    model = make()
    if model.conditional:
        with pytest.raises(GenError, match="needs them"):
            model.encode(X)
    else:
        assert model.encoder.cond is None
        assert torch.equal(model.encode(X, LABELS), model.encode(X))


def test_labels_asked_of_data_without_are_refused(ae, vae):
    for family in (ae, vae):
        with pytest.raises(ShapeError, match="the data carry none: set conditional: false"):
            family(UNLABELLED, conditional=True)


def test_parts_that_do_not_fit_are_refused(vae):
    good = vae()
    parts = {name: getattr(good, name) for name in ("encoder", "decoder", "posterior", "likelihood", "prior", "data")}

    with pytest.raises(ShapeError, match=r"encoder was built with out_shape=\(4,\), but this model needs .*\(6,\)"):
        VAE(**parts, latent=3)
    with pytest.raises(ShapeError, match=r"prior was built with shape=\(5,\)"):
        VAE(**{**parts, "prior": type(good.prior)(shape=(5,))}, latent=2)


def test_options_out_of_bounds_are_refused(vae):
    with pytest.raises(OptionError, match="beta must be at least 0"):
        vae(beta=-1)


def test_wiring_gives_every_part_its_shapes():
    joins = VAE.wire(
        UNLABELLED, latent=4, posterior=GaussianPosterior(), likelihood=Bernoulli(), conditional=False, beta=1.0
    )

    assert joins == {
        "encoder": Shapes((1, 2, 3), (8,)),
        "decoder": Shapes((4,), (1, 2, 3)),
        "prior": Shapes((4,), (1, 2, 3)),
    }


def test_capabilities_are_what_a_family_can_do():
    assert AE.capabilities() == ("encode", "decode", "reconstruct")
    assert VAE.capabilities() == ("encode", "decode", "reconstruct", "generate", "log_prob")


def test_half_precision_networks_leave_the_densities_in_float32(make):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        model, losses = make(), loss(make())
        reconstruction = model.reconstruct(X, LABELS)

    assert {value.dtype for value in (losses.total, reconstruction, *losses.terms.values())} == {torch.float32}


def test_densities_are_computed_outside_autocast(vae):
    model, seen = vae(), []
    inner = model.likelihood.log_prob
    model.likelihood.log_prob = lambda params, x: seen.append(torch.is_autocast_enabled("cpu")) or inner(params, x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss(model)

    assert seen == [False]
