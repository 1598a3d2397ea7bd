"""VAE-GAN: what is compared, what is shown, and how the terms add up."""

from __future__ import annotations

import pytest
import torch

from gen.types import Progress
from gen_sdk.checks.toys import ToyPrior

NOW = Progress(0, 10)


def test_encoders_loss_is_the_distance_of_features_and_the_kl(make, batch):
    model = make("vae-gan", beta=3.0)
    torch.manual_seed(2)
    losses = model.encoder_loss(batch, NOW)
    torch.manual_seed(2)
    params = model.encoder(batch.x)
    z = model.posterior.rsample(params)
    features = model.discriminator.features
    gap = features(model.decode(z)) - features(batch.x)
    kl = model.posterior.kl(params, ToyPrior(shape=(3,)), z).mean()

    torch.testing.assert_close(losses.terms["feature"], 0.5 * gap.square().flatten(1).sum(1).mean())
    torch.testing.assert_close(losses.total, losses.terms["feature"] + 3 * kl)


def test_the_game_weighs_in_the_decoders_loss(make, batch):
    model = make("vae-gan", weight=5.0)
    losses = model.decoder_loss(batch, NOW)

    torch.testing.assert_close(losses.total, losses.terms["feature"] + 5 * losses.terms["game"])


@pytest.mark.parametrize("phase", ["decoder_loss", "discriminator_loss"])
def test_half_of_what_is_shown_are_reconstructions_and_the_rest_draws_of_the_prior(make, batch, phase):
    model = make("vae-gan")
    far = torch.full((1, 3), 50.0)
    model.prior.sample = lambda n, rng=None: far.expand(n, -1)
    shown = []
    model.discriminator.register_forward_pre_hook(lambda _, given: shown.append(given[0]))
    getattr(model, phase)(batch, NOW)
    made, drawn = shown[-1], model.decode(far)

    assert made.shape == batch.x.shape
    torch.testing.assert_close(made[3:], drawn.expand(3, -1, -1, -1))
    assert all((one - drawn[0]).abs().max() > 0.1 for one in made[:3])
