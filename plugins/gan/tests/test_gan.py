"""The game: who trains whom, what is made once, what is logged, what is refused."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from gen.errors import GenError, ShapeError
from gen.types import Batch, DataSpec, Domain, Progress
from gen_gan.augment import DiffAugment
from gen_gan.diversity import ALARM, diversity
from gen_gan.gan import GAN
from gen_losses.adversarial import Hinge, LeastSquares, Minimax, NonSaturating, Relativistic, Wasserstein
from gen_losses.features import FeatureMatching
from gen_losses.penalties import Contractive
from gen_losses.slopes import R1, R2, GradientPenalty, WeightClip

NOW = Progress(0, 10)
LOSSES = [Minimax, NonSaturating, LeastSquares, Hinge, Wasserstein, Relativistic]


def counted(module):
    """How many samples each forward pass of a module is given, in a list that grows."""
    passes = []
    module.register_forward_pre_hook(lambda _, given: passes.append(len(given[0])))
    return passes


def only(model, part):
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for parameter in part.parameters():
        parameter.requires_grad_(True)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("conditional", [False, True])
def test_each_phase_reaches_exactly_its_part(make, batch, loss, conditional):
    model = make(loss=loss(), conditional=conditional, augment=DiffAugment())
    for phase in model.phases():
        model.zero_grad(set_to_none=True)
        phase.loss(batch, NOW).total.backward()
        (mine,) = phase.train
        only(model, mine)
        model.zero_grad(set_to_none=True)
        phase.loss(batch, NOW).total.backward()

        assert {id(p) for p in mine.parameters()} == {id(p) for p in model.parameters() if p.grad is not None}
        for parameter in model.parameters():
            parameter.requires_grad_(True)


def test_discriminators_phase_leaves_the_generator_without_gradients_even_where_they_could_flow(make, batch):
    model = make(regularizers=(R2(), GradientPenalty()))
    model.discriminator_loss(batch, NOW).total.backward()

    assert all(parameter.grad is None for parameter in model.generator.parameters())


def test_value_of_the_game_with_a_discriminator_that_knows_nothing(make, batch):
    model = make(loss=Minimax())
    nn.init.zeros_(model.discriminator.head.weight)

    assert model.discriminator_loss(batch, NOW).total.item() == pytest.approx(math.log(4))
    assert model.generator_loss(batch, NOW).total.item() == pytest.approx(-math.log(2))


def test_samples_are_made_once_a_step_and_judged_twice(make, batch):
    model = make()
    made = counted(model.generator)
    model.generator_loss(batch, NOW)
    model.discriminator_loss(batch, NOW)

    assert made == [6]
    model.discriminator_loss(batch, NOW)  # a repeat: new samples
    assert made == [6, 6]


def test_micro_batches_meet_their_own_samples(make, batch):
    model = make()
    seen = []
    model.discriminator.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    for _ in range(2):
        model.generator_loss(batch, NOW)
    first, second = seen
    for _ in range(2):
        model.discriminator_loss(batch, NOW)

    assert torch.equal(seen[2][6:], first)
    assert torch.equal(seen[3][6:], second)


def test_samples_of_another_step_are_not_used(make, batch):
    model = make()
    made = counted(model.generator)
    model.generator_loss(batch, Progress(0, 10))
    model.discriminator_loss(batch, Progress(1, 10))

    assert made == [6, 6]
    model.eval()
    model.generator_loss(batch, Progress(2, 10))
    model.discriminator_loss(batch, Progress(2, 10))
    assert made == [6, 6, 6, 6]


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_one_forward_pass_over_real_and_generated_unless_batch_norm_would_mix_them(make, batch, norm):
    model = make(norm=norm)
    model.discriminator.body[0] = nn.Sequential(nn.Identity(), model.discriminator.body[0])
    if norm == "batch":
        model.discriminator.body.append(nn.BatchNorm1d(model.discriminator.head.in_features))
        model.build()
    passes = counted(model.discriminator)
    model.discriminator_loss(batch, NOW)

    assert passes == ([12] if norm == "none" else [6, 6])


def test_joint_pass_gives_the_loss_of_two_passes(make, batch):
    model = make(conditional=True)
    model.generator_loss(batch, NOW)
    kept = model._made[1][0]
    joint = model.discriminator_loss(batch, NOW)
    real, fake = model.discriminator(batch.x, batch.cond), model.discriminator(kept, batch.cond)

    torch.testing.assert_close(joint.total, NonSaturating().discriminator(real, fake))
    torch.testing.assert_close(joint.terms["real"], real.mean())
    torch.testing.assert_close(joint.terms["fake"], fake.mean())


def test_slope_penalties_cost_no_forward_pass_and_are_zero_between_their_turns(make, batch):
    model = make(regularizers=(R1(every=2), R2(every=2)))
    passes = counted(model.discriminator)
    due = model.discriminator_loss(batch, Progress(0, 10))
    between = model.discriminator_loss(batch, Progress(1, 10, turn=1))

    assert passes == [6, 6, 12]
    assert due.terms["r1"] > 0
    assert due.terms["r2"] > 0
    assert between.terms["r1"] == between.terms["r2"] == 0
    assert due.terms.keys() == between.terms.keys()


def test_penalty_of_the_model_is_that_of_autograd(make, batch):
    model = make(regularizers=(R1(gamma=3.0),))
    found = model.discriminator_loss(batch, NOW).terms["r1"]
    x = batch.x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(model.discriminator(x).sum(), x)

    torch.testing.assert_close(found, 1.5 * slope.square().flatten(1).sum(1).mean())
    assert not batch.x.requires_grad


def test_losses_and_penalties_are_measured_without_gradients(make, batch):
    model = make(regularizers=(R1(), R2(), GradientPenalty())).eval().requires_grad_(False)
    with torch.no_grad():
        losses = model.discriminator_loss(batch, NOW)

    assert set(losses.terms) == {"real", "fake", "r1", "r2", "gradient_penalty"}
    assert all(term > 0 for name, term in losses.terms.items() if name not in ("real", "fake"))


def test_paired_losses_show_the_generator_real_samples(make, batch):
    model = make(loss=Relativistic())
    passes = counted(model.discriminator)
    model.generator_loss(batch, NOW)

    assert passes == [6, 6]


def test_critics_weights_are_clipped_after_their_update(make):
    model = make(loss=Wasserstein(), regularizers=(WeightClip(bound=0.03),))
    model.after_step("generator", NOW)
    assert max(p.abs().max() for p in model.discriminator.parameters()) > 0.03
    model.after_step("discriminator", NOW)

    assert max(p.abs().max() for p in model.discriminator.parameters()) <= 0.03
    assert max(p.abs().max() for p in model.generator.parameters()) > 0.03


def test_feature_matching_joins_the_generators_loss(make, batch):
    model = make(generator_regularizers=(FeatureMatching(weight=2.0),))
    losses = model.generator_loss(batch, NOW)

    assert losses.terms["feature_matching"] > 0
    torch.testing.assert_close(
        losses.total - losses.terms["feature_matching"], nn.functional.softplus(-losses.terms["fake"]), atol=0.1, rtol=1
    )


def test_diversity_is_1_for_the_data_and_0_after_collapse():
    x = torch.randn(64, 1, 8, 8)

    assert diversity(x, x.flip(0)).item() == pytest.approx(1)
    assert diversity(x[:1].expand_as(x), x).item() == pytest.approx(0, abs=1e-6)
    assert diversity(0.5 * x, x).item() == pytest.approx(0.25)


def test_collapse_raises_the_alarm_at_its_cadence(make, batch):
    model = make()
    nn.init.zeros_(model.generator.last.weight)
    model.generator_loss(batch, NOW)
    model.after_step("generator", Progress(4 * ALARM.every, 10_000, turn=ALARM.every - 2))

    with pytest.warns(UserWarning, match=r"samples vary 0.0 % as much as the data: it may have collapsed"):
        model.after_step("generator", Progress(4 * ALARM.every + 4, 10_000, turn=ALARM.every - 1))


def test_half_precision_networks_are_judged_in_float32(make, batch):
    model = make(regularizers=(R1(),))
    with torch.autocast("cpu", torch.bfloat16):
        losses = [phase.loss(batch, NOW) for phase in model.phases()]

    assert all(one.total.dtype == torch.float32 for one in losses)
    assert losses[1].terms["r1"].dtype == torch.float32


def test_samples_are_clipped_to_the_range(make):
    model = make().eval()
    with torch.no_grad():
        model.generator.last.bias.fill_(100.0)
        model.generator.last.weight.mul_(1e3)
        x = model.generate(torch.randn(3, 4))

    assert x.min() >= -1
    assert x.max() <= 1


def test_conditional_models_ask_for_labels(make):
    with pytest.raises(GenError, match="needs them: say which, one per sample"):
        make(conditional=True).generate(torch.randn(2, 4))


def test_labels_that_the_data_lack_are_refused():
    with pytest.raises(ShapeError, match="the data carry none: set conditional: false"):
        GAN.wire(DataSpec.single(Domain((1, 8, 8))), latent=4, conditional=True)


@pytest.mark.parametrize(
    ("slot", "regularizer", "said"),
    [
        ("regularizers", Contractive(), "penalties on the discriminator, and Contractive is one on the encoder"),
        ("regularizers", FeatureMatching(), "penalties on the discriminator, and FeatureMatching is one on the gen"),
        ("generator_regularizers", R1(), "penalties on the generator, and R1 is one on the discriminator"),
        ("generator_regularizers", WeightClip(), "penalties on the generator, and WeightClip is one on the discrim"),
    ],
)
def test_regularizers_that_are_for_another_network_are_refused(make, slot, regularizer, said):
    with pytest.raises(ShapeError, match=f"^{slot}: these are {said}"):
        make(**{slot: (regularizer,)})


def test_data_that_a_generator_cannot_reach_are_refused(make):
    wide = DataSpec.single(Domain((1, 8, 8), range=(0.0, 255.0)))
    said = r"^the data have the range \(0.0, 255.0\), and DCGANGenerator puts out \[-1, 1\]: bring them there with "

    with pytest.raises(ShapeError, match=said):
        make(data=wide)


def test_parts_of_another_shape_are_refused(make):
    model = make()
    with pytest.raises(
        ShapeError, match=r"generator was built with in_shape=\(4,\), but this model needs in_shape=\(5,"
    ):
        GAN(
            data=model.data, latent=5, generator=model.generator, discriminator=model.discriminator,
            loss=model.loss, augment=None,
        )  # fmt: skip


def test_a_few_steps_learn_the_brightness_of_the_data(make):
    """Data are constant grey images at -0.6: the generator's mean goes there from about 0."""
    torch.manual_seed(0)
    model = make(regularizers=(R1(gamma=1.0),))
    x = torch.full((16, 1, 8, 8), -0.6) + 0.05 * torch.randn(16, 1, 8, 8)
    optimizers = [torch.optim.Adam(phase.train[0].parameters(), lr=1e-2, betas=(0.5, 0.99)) for phase in model.phases()]
    gaps = []
    for step in range(50):
        for phase, optimizer in zip(model.phases(), optimizers, strict=True):
            only(model, phase.train[0])
            optimizer.zero_grad()
            phase.loss(Batch(x, None, torch.arange(16)), Progress(step, 50)).total.backward()
            optimizer.step()
        gaps.append(abs(model._made[1][0].mean().item() + 0.6) if model._made[1] else None)
    with torch.no_grad():
        mean = model.eval().generate(torch.randn(64, 4)).mean().item()

    assert mean == pytest.approx(-0.6, abs=0.2)
    assert all(a is None for a, _ in pairwise(gaps))  # every kept sample was used in its step
