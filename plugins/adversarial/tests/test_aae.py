"""The adversarial autoencoder: its codes come to the prior, and without the game it is an autoencoder."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gen.errors import ShapeError
from gen.types import Batch, Progress
from gen_adversarial.priors.ring_mixture import RingMixture
from gen_losses.penalties import Sparse
from gen_losses.slopes import R1
from gen_sdk.checks.toys import ToyPosterior, ToyPrior
from gen_vae.ae import AE

NOW = Progress(0, 10)


def energy(a, b):
    """Energy distance of two samples, 2 E|a - b| - E|a - a'| - E|b - b'|."""
    return 2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()


def p_value(a, b, rounds=200):
    """The share of relabellings of the two samples whose energy distance is at least as large."""
    both, rng = torch.cat([a, b]), torch.Generator().manual_seed(0)
    distances, seen = torch.cdist(both, both), energy(a, b)
    sign = torch.cat([torch.ones(len(a)), -torch.ones(len(b))])
    signs = torch.stack([sign[torch.randperm(len(both), generator=rng)] for _ in range(rounds)])
    values = -((signs @ distances) * signs).sum(1) / len(a) ** 2
    return ((values >= seen).sum().item() + 1) / (rounds + 1)


def played(model, x, steps):
    """Trains all phases on batches of 128 of x, the discriminator fastest."""
    optimizers = [
        torch.optim.Adam([p for part in phase.train for p in part.parameters()], lr=rate, betas=(0.5, 0.9))
        for phase, rate in zip(model.phases(), (1e-2, 3e-2, 1e-2), strict=True)
    ]
    for step in range(steps):
        index = torch.randint(len(x), (128,))
        for phase, optimizer in zip(model.phases(), optimizers, strict=True):
            optimizer.zero_grad()
            phase.loss(Batch(x[index], None, index), Progress(step, steps)).total.backward()
            optimizer.step()


def test_aggregated_posterior_passes_a_two_sample_test_against_the_prior(make, affine, quadric):
    """Data on a shifted ellipse; codes of 300 held-out points against 300 draws of N(0, I)."""
    rng = torch.Generator().manual_seed(4)
    x = torch.randn(2_300, 2, generator=rng) @ torch.tensor([[1.5, 0.4], [0.0, 0.8]]) + torch.tensor([1.0, -0.5])
    model = make(
        "aae", (2,), None, latent=2, encoder=affine, decoder=affine, discriminator=quadric,
        regularizers=(R1(gamma=0.1),),
    )  # fmt: skip
    with torch.no_grad():
        model.encoder.map.weight.copy_(0.5 * torch.eye(2))
    prior = torch.randn(300, 2, generator=rng)
    before = p_value(model.encode(x[2000:]).detach(), prior)
    played(model, x[:2000], 400)
    after = p_value(model.encode(x[2000:]).detach(), prior)

    assert before < 0.01
    assert after > 0.05
    assert (model.reconstruct(x[2000:]) - x[2000:]).square().mean() < 0.05


def test_two_sample_test_knows_equal_from_shifted_samples():
    a, b = (torch.randn(200, 2, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))

    assert p_value(a, b) > 0.05
    assert p_value(a, b + 0.5) < 0.01


def test_without_the_game_it_is_an_autoencoder(make, batch):
    model = make("aae", weight=0.0)
    plain = AE(
        data=model.data, latent=model.latent, encoder=model.encoder, decoder=model.decoder, distance=model.distance
    )
    losses = {phase.name: phase.loss(batch, NOW).total for phase in model.phases()}
    losses["encoder"].backward()

    assert torch.equal(losses["reconstruct"], plain.loss(batch, NOW).total)
    assert losses["encoder"] == 0
    assert all(not p.grad.any() for p in model.encoder.parameters())
    assert torch.equal(model.reconstruct(batch.x), plain.reconstruct(batch.x))


def test_a_posterior_makes_codes_draws_and_their_mean_the_code(make, batch):
    model = make("aae", posterior=ToyPosterior())

    assert (model._code(batch.x, None) != model._code(batch.x, None)).all()
    assert torch.equal(model.encode(batch.x), model.encode(batch.x))
    assert model.encoder.out_shape == (6,)


def test_labels_give_every_class_its_own_mode(make, batch):
    """The discriminator is shown, as real, codes of the mode that the label names."""
    model = make("aae", labels=True, latent=2, prior=lambda shape: RingMixture(shape=shape, modes=4, std=0.01))
    shown = []
    model.discriminator.register_forward_pre_hook(lambda _, given: shown.append(given))
    model.discriminator_loss(batch, NOW)
    (real, labels), _ = shown
    angle = labels * torch.pi / 2

    torch.testing.assert_close(real, 4 * torch.stack([angle.cos(), angle.sin()], 1), atol=0.06, rtol=0)
    assert model.discriminator.cond == model.data.cond


def test_labels_with_a_prior_that_has_no_places_for_them_are_told_all_the_same(make, batch):
    model = make("aae", labels=True, prior=ToyPrior)
    nn.init.normal_(model.discriminator.condition.projection.weight)
    other = batch._replace(cond=(batch.cond + 1) % 4)
    totals = []
    for told in (batch, other):
        torch.manual_seed(0)
        totals.append(model.discriminator_loss(told, NOW).total)

    assert totals[0] != totals[1]


def test_prior_with_another_number_of_places_than_classes_is_refused(make):
    ring = lambda shape: RingMixture(shape=shape, modes=5)  # noqa: E731
    with pytest.raises(
        ShapeError,
        match=r"^labels: true gives each of the 4 classes a place of the prior, and RingMixture has 5: give ",
    ):
        make("aae", labels=True, latent=2, prior=ring)

    make("aae", latent=2, prior=ring)


@pytest.mark.parametrize("family", ["aae", "vae-gan", "bigan"])
def test_penalties_on_an_encoder_are_refused(make, family):
    with pytest.raises(ShapeError, match=r"^regularizers: these are penalties on the discriminator, and Sparse is one"):
        make(family, regularizers=(Sparse(),))


def test_labels_that_the_data_lack_are_refused(make):
    with pytest.raises(ShapeError, match="labels: true tells networks the labels, but the data carry none: set labels"):
        make("aae", cond=None, labels=True)
