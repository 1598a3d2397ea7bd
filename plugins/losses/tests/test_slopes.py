"""Slope penalties on critics whose slope is known, lazy against full, clipping, feature matching."""

import pytest
import torch
from torch import nn

from gen.errors import GenError
from gen.types import Contest, Progress
from gen_losses.features import FeatureMatching
from gen_losses.slopes import R1, R2, GradientPenalty, WeightClip

NOW = Progress(0, 100)


class Linear(nn.Module):
    """D(x) = w'x: its slope is w everywhere."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.map = nn.Linear(6, 1).double()

    def forward(self, x, cond=None):
        return self.map(x.flatten(1)).squeeze(1)


class Square(nn.Module):
    """D(x) = a |x|^2 / 2: its slope is a x."""

    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.tensor(1.7, dtype=torch.float64))

    def forward(self, x, cond=None):
        return 0.5 * self.a * x.square().flatten(1).sum(1)

    def features(self, x, cond=None):
        return self.a * x.flatten(1)


def contest(network, n=5):
    rng = torch.Generator().manual_seed(1)
    real, fake = (torch.randn(n, 1, 2, 3, generator=rng, dtype=torch.float64).requires_grad_() for _ in range(2))
    return Contest(real, fake, None, network(real), network(fake))


def test_penalties_of_a_linear_critic_are_its_squared_slope():
    net = Linear()
    square = net.map.weight.square().sum()
    given = contest(net)

    torch.testing.assert_close(R1(gamma=3.0)(net, given, NOW)["r1"], 1.5 * square)
    torch.testing.assert_close(R2(gamma=3.0)(net, given, NOW)["r2"], 1.5 * square)
    penalty = GradientPenalty(weight=4.0)(net, given, NOW)["gradient_penalty"]
    torch.testing.assert_close(penalty, 4 * (square.sqrt() - 1).square())


def test_penalties_of_a_quadratic_critic_look_at_their_own_samples():
    net = Square()
    given = contest(net)
    mean = lambda x: x.detach().square().flatten(1).sum(1).mean()  # noqa: E731

    torch.testing.assert_close(R1(gamma=2.0)(net, given, NOW)["r1"], net.a.square() * mean(given.real))
    torch.testing.assert_close(R2(gamma=2.0)(net, given, NOW)["r2"], net.a.square() * mean(given.fake))


@pytest.mark.parametrize("penalty", [R1(gamma=1.0), R2(gamma=1.0)])
def test_gradient_of_a_penalty_in_the_weights_is_exact(penalty):
    net = Square()
    given = contest(net)
    (term,) = penalty(net, given, NOW).values()
    term.backward()
    x = given.real if isinstance(penalty, R1) else given.fake

    torch.testing.assert_close(net.a.grad, net.a.detach() * x.detach().square().flatten(1).sum(1).mean())


@pytest.mark.parametrize("make", [R1, R2, GradientPenalty])
def test_lazy_penalty_equals_the_full_one_in_the_mean(make):
    net = Linear()
    given = contest(net)
    (full,) = make()(net, given, NOW).values()
    lazy = make(every=4)
    terms = [lazy(net, given, Progress(0, 100, turn)) for turn in range(12)]

    assert {tuple(term) for term in terms} == {tuple(terms[0])}
    assert [lazy.due(Progress(0, 100, turn)) for turn in range(5)] == [True, False, False, False, True]
    torch.testing.assert_close(torch.stack([v.double() for term in terms for v in term.values()]).mean(), full)


@pytest.mark.parametrize("make", [R1, R2, GradientPenalty])
def test_lazy_penalty_is_measured_whole_at_every_step(make):
    net = Linear()
    given = contest(net)
    with torch.no_grad():
        (full,) = make()(net, given, NOW).values()
        for turn in range(4):
            now = Progress(turn, 100, turn)
            assert make(every=4).due(now)
            torch.testing.assert_close(make(every=4)(net, given, now), make()(net, given, NOW))
    assert full > 0


@pytest.mark.parametrize("penalty", [R1(), R2(), GradientPenalty()])
def test_penalties_are_measured_without_gradients(penalty):
    net = Square()
    torch.manual_seed(3)
    (trained,) = penalty(net, contest(net), NOW).values()
    given = contest(net)
    torch.manual_seed(3)
    with torch.no_grad():
        (measured,) = penalty(net, given, NOW).values()

    assert trained.requires_grad
    assert not measured.requires_grad
    torch.testing.assert_close(measured, trained.detach())


def test_penalties_serve_pairs_of_data_and_codes():
    class Joint(nn.Module):
        def forward(self, pair, cond=None):
            return 2 * pair[0].sum(1) + pair[1].sum(1)

    net = Joint()
    real = (torch.randn(4, 3).requires_grad_(), torch.randn(4, 2).requires_grad_())
    fake = tuple(torch.randn_like(x).requires_grad_() for x in real)
    given = Contest(real, fake, None, net(real), net(fake))

    assert R1(gamma=2.0)(net, given, NOW)["r1"].item() == pytest.approx(4 * 3 + 2)
    wanted = ((4 * 3 + 2) ** 0.5 - 1) ** 2
    assert GradientPenalty(weight=1.0)(net, given, NOW)["gradient_penalty"].item() == pytest.approx(wanted, rel=1e-5)


def test_clipping_bounds_every_weight_and_adds_no_term():
    net, clip = Linear(), WeightClip(bound=0.02)
    before = net.map.weight.detach().clone()

    assert clip(net, None, NOW) == {}
    assert not clip.due(NOW)
    clip.constrain(net)
    torch.testing.assert_close(net.map.weight.detach(), before.clamp(-0.02, 0.02))


def test_feature_matching_compares_means_and_moves_the_generator_alone():
    net = Square()
    given = contest(net)
    term = FeatureMatching(weight=0.5)(net, given, NOW)["feature_matching"]
    wanted = 0.5 * net.a.square() * (given.real.mean(0) - given.fake.mean(0)).square().sum()
    term.backward()

    assert term.item() == pytest.approx(wanted.item(), rel=1e-5)
    assert given.real.grad is None
    assert given.fake.grad.any()


def test_feature_matching_refuses_a_discriminator_without_features():
    net = Linear()
    with pytest.raises(GenError, match="has none: choose one with a method features"):
        FeatureMatching()(net, contest(net), NOW)
