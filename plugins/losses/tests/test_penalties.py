"""Penalties on encoders whose Jacobian or activity is known."""

import math

import pytest
import torch
from torch import nn

from gen.types import Batch, Progress
from gen_losses.penalties import Contractive, Sparse

PROGRESS = Progress(0, 1)


class Known(nn.Module):
    """z = tanh(W x + b)."""

    def __init__(self, act):
        super().__init__()
        torch.manual_seed(0)
        self.map, self.act = nn.Linear(6, 4).double(), act

    def forward(self, x, cond=None):
        return self.act(self.map(x.flatten(1)))


def batch(n=5):
    x = torch.randn(n, 1, 2, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return Batch(x, None, torch.arange(n))


def test_contraction_of_a_linear_map_is_the_norm_of_its_matrix():
    net = Known(nn.Identity())
    (term,) = Contractive(weight=0.3)(net, batch(), PROGRESS).values()

    torch.testing.assert_close(term, 0.3 * net.map.weight.square().sum())


def test_contraction_of_tanh_is_the_formula_of_the_paper():
    net, given = Known(nn.Tanh()), batch()
    slopes = (1 - net(given.x).square()).square()  # [B, D]
    wanted = (slopes * net.map.weight.square().sum(1)).sum(1).mean()

    torch.testing.assert_close(Contractive(weight=1.0)(net, given, PROGRESS)["contractive"], wanted)


def test_random_directions_average_to_the_exact_contraction():
    net, given = Known(nn.Tanh()), batch()
    exact = Contractive()(net, given, PROGRESS)["contractive"]
    estimate = Contractive(probes=400)(net, given, PROGRESS)["contractive"]

    assert estimate.item() == pytest.approx(exact.item(), rel=0.1)


def test_contraction_reaches_the_weights_and_is_measured_without_gradients():
    net = Known(nn.Tanh())
    term = Contractive()(net, batch(), PROGRESS)["contractive"]
    term.backward()
    with torch.no_grad():
        measured = Contractive()(net, batch(), PROGRESS)["contractive"]

    assert net.map.weight.grad.any()
    assert not measured.requires_grad
    torch.testing.assert_close(measured, term.detach())


def test_absolute_sum_is_a_mean_over_the_batch():
    net, given = Known(nn.Identity()), batch()
    term = Sparse(weight=2.0)(net, given, PROGRESS)["sparse"]

    torch.testing.assert_close(term, 2 * net(given.x).abs().sum(1).mean().float())


def test_divergence_vanishes_at_the_target_alone():
    target = 0.05
    silent = nn.Linear(6, 4)
    nn.init.zeros_(silent.weight)
    nn.init.constant_(silent.bias, math.log(target / (1 - target)))
    run = lambda x, cond: silent(x.flatten(1).float())  # noqa: E731
    penalty = Sparse(form="kl", target=target, weight=1.0)

    assert penalty(run, batch(), PROGRESS)["sparse"].item() == pytest.approx(0, abs=1e-6)
    nn.init.zeros_(silent.bias)
    wanted = 4 * (target * math.log(target / 0.5) + (1 - target) * math.log((1 - target) / 0.5))
    assert penalty(run, batch(), PROGRESS)["sparse"].item() == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("penalty", [Contractive(), Contractive(probes=2), Sparse(), Sparse(form="kl")])
def test_penalties_leave_the_data_without_gradients(penalty):
    given = batch()
    penalty(Known(nn.Tanh()), given, PROGRESS)

    assert not given.x.requires_grad
