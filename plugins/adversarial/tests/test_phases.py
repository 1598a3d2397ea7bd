"""What all families share: each phase reaches its own parts, labels, refusals, shapes."""

from __future__ import annotations

import pytest
import torch

from gen.errors import GenError, OptionError, ShapeError
from gen.types import Progress
from gen_losses.adversarial import Hinge, LeastSquares, NonSaturating, Relativistic, Wasserstein
from gen_losses.slopes import R1, GradientPenalty, WeightClip

NOW = Progress(0, 10)
TRAINS = {
    "aae": {"reconstruct": {"encoder", "decoder"}, "discriminator": {"discriminator"}, "encoder": {"encoder"}},
    "avb": {"primal": {"encoder", "decoder"}, "adversary": {"discriminator"}},
    "vae-gan": {"encoder": {"encoder"}, "decoder": {"decoder"}, "discriminator": {"discriminator"}},
    "bigan": {"coder": {"encoder", "decoder"}, "discriminator": {"discriminator"}},
}
GAMES = ["aae", "vae-gan", "bigan"]
families = pytest.mark.parametrize("family", TRAINS)


@families
@pytest.mark.parametrize("conditional", [False, True])
def test_each_phase_reaches_exactly_its_parts(make, batch, family, conditional):
    model = make(family, conditional=conditional)
    found = {}
    for phase in model.phases():
        mine = {id(p) for part in phase.train for p in part.parameters()}
        for parameter in model.parameters():
            parameter.requires_grad_(id(parameter) in mine)
        model.zero_grad(set_to_none=True)
        phase.loss(batch, NOW).total.backward()
        found[phase.name] = {name.partition(".")[0] for name, p in model.named_parameters() if p.grad is not None}
        assert all(p.grad is not None for part in phase.train for p in part.parameters())

    assert found == TRAINS[family]


@families
def test_discriminators_turn_leaves_the_others_without_gradients_even_where_they_could_flow(make, batch, family):
    model = make(family)
    phase = next(phase for phase in model.phases() if list(phase.train) == [model.discriminator])
    phase.loss(batch, NOW).total.backward()

    assert {name.partition(".")[0] for name, p in model.named_parameters() if p.grad is not None} == {"discriminator"}


@pytest.mark.parametrize("family", GAMES)
@pytest.mark.parametrize("loss", [NonSaturating, LeastSquares, Hinge, Wasserstein, Relativistic])
def test_every_adversarial_loss_serves(make, batch, family, loss):
    model = make(family, loss=loss())

    assert all(phase.loss(batch, NOW).total.isfinite() for phase in model.phases())


@pytest.mark.parametrize("family", GAMES)
def test_penalties_join_the_discriminators_loss_in_training_and_in_evaluation(make, batch, family):
    model = make(family, regularizers=(R1(gamma=2.0), GradientPenalty()))
    for context in (torch.enable_grad(), torch.no_grad()):
        with context:
            torch.manual_seed(0)
            losses = model.discriminator_loss(batch, NOW)
        torch.manual_seed(0)
        bare = make(family)
        bare.load_state_dict(model.state_dict())
        torch.manual_seed(0)
        plain = bare.discriminator_loss(batch, NOW)

        assert losses.terms["r1"] > 0
        torch.testing.assert_close(losses.total, plain.total + losses.terms["r1"] + losses.terms["gradient_penalty"])


@pytest.mark.parametrize("family", GAMES)
def test_weights_are_clipped_after_the_discriminators_update_alone(make, family):
    model = make(family, regularizers=(WeightClip(bound=0.01),))
    for phase in model.phases():
        before = max(p.abs().max().item() for p in model.discriminator.parameters())
        model.after_step(phase.name, NOW)
        after = max(p.abs().max().item() for p in model.discriminator.parameters())
        assert (after <= 0.01) == (phase.name == "discriminator" or before <= 0.01)


@families
def test_labels_are_asked_for_and_refused_where_there_are_none(make, batch, family):
    with pytest.raises(GenError, match="trained with labels and needs them"):
        make(family, conditional=True).encode(batch.x)
    with pytest.raises(ShapeError, match="conditional: true tells networks the labels, but the data carry none"):
        make(family, cond=None, conditional=True)


@families
def test_parts_of_another_shape_are_refused(make, family):
    model = make(family)
    with pytest.raises(ShapeError, match=r"decoder was built with in_shape=\(3,\), but this model needs in_shape=\(5,"):
        make(family, latent=5, decoder=lambda **_: model.decoder)


@families
def test_priors_made_of_posteriors_are_refused_and_others_stay_as_they_are(make, family):
    class Bound(torch.nn.Module):
        def bind(self, posterior):
            raise AssertionError("never bound")

    with pytest.raises(
        ShapeError, match="this prior is made of posteriors, and here codes come to a prior that stands"
    ):
        make(family, prior=lambda **_: Bound())
    prior = torch.nn.Linear(1, 1)
    make(family, prior=lambda **_: prior)
    assert not prior.weight.requires_grad


def test_vae_gan_asks_for_features(make, quadric):
    with pytest.raises(OptionError, match="features, and Quadric has none: choose one with a method features"):
        make("vae-gan", discriminator=quadric)


@pytest.mark.parametrize("family", ["vae-gan", "bigan"])
def test_samples_lie_in_the_range_of_the_data(make, family):
    model, z = make(family), torch.randn(4, 3)
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.mul_(30)
        y = model.generate(z)
        model.squash = False
        free = model.generate(z)

    assert y.abs().max() <= 1
    assert free.abs().max() > 1
    torch.testing.assert_close(y, free.tanh())
