"""Comparisons of two sets, against sets whose answer is known."""

from __future__ import annotations

import math

import pytest
import torch

from gen.errors import CommandError
from gen_metrics.extractors.random_features import RandomFeatures
from gen_metrics.sets.class_entropy import ClassEntropy, entropy
from gen_metrics.sets.density_coverage import DensityCoverage, density_coverage
from gen_metrics.sets.frechet import Frechet, frechet_distance
from gen_metrics.sets.kernel_distance import KernelDistance, mmd
from gen_metrics.sets.nearest_neighbour import NearestNeighbour
from gen_metrics.sets.neighbours import nearest, radii
from gen_metrics.sets.precision_recall import PrecisionRecall, on_manifold

SETS = [Frechet, KernelDistance, PrecisionRecall, DensityCoverage]


def normal(n: int, *shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed))


def gaussian(n: int, mean: torch.Tensor, covariance: torch.Tensor) -> torch.Tensor:
    """n points whose sample mean and covariance are exactly these, in float64."""
    x = normal(n, len(mean)).double()
    x = x - x.mean(0)
    x = torch.linalg.solve_triangular(torch.linalg.cholesky(x.T @ x / (n - 1)), x.T, upper=False).T
    return x @ torch.linalg.cholesky(covariance).T + mean


def test_the_frechet_distance_of_shifted_gaussians_is_the_squared_shift() -> None:
    x = normal(200, 5).double()
    shift = torch.tensor([1.0, -2.0, 0.5, 0.0, 3.0]).double()

    assert frechet_distance(x, x + shift) == pytest.approx(float(shift.square().sum()), rel=1e-9)


def test_the_frechet_distance_of_gaussians_is_the_closed_form() -> None:
    """For covariances that commute, tr(S + S' - 2 (S S')^(1/2)) is the sum of (sqrt(s) - sqrt(s'))²."""
    turn = torch.linalg.qr(normal(4, 4).double()).Q
    s, t = torch.tensor([1.0, 4.0, 0.25, 9.0]).double(), torch.tensor([2.0, 1.0, 0.5, 9.0]).double()
    mean = torch.tensor([0.0, 1.0, 0.0, -1.0]).double()
    x = gaussian(300, torch.zeros(4).double(), turn @ s.diag() @ turn.T)
    y = gaussian(250, mean, turn @ t.diag() @ turn.T)

    expected = float(mean.square().sum() + (s.sqrt() - t.sqrt()).square().sum())
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-8)


def test_a_model_that_draws_no_numbers_is_at_no_distance() -> None:
    assert math.isnan(frechet_distance(normal(20, 3), torch.full((20, 3), math.nan)))


def test_the_kernel_distance_is_the_mean_over_pairs() -> None:
    x, y = normal(7, 3).double(), normal(5, 3, seed=1).double()

    def kernel(a: torch.Tensor, b: torch.Tensor) -> float:
        return float((a @ b / 3 + 1) ** 3)

    own_x = sum(kernel(x[i], x[j]) for i in range(7) for j in range(7) if i != j) / 42
    own_y = sum(kernel(y[i], y[j]) for i in range(5) for j in range(5) if i != j) / 20
    cross = sum(kernel(a, b) for a in x for b in y) / 35
    assert mmd(x, y) == pytest.approx(own_x + own_y - 2 * cross, rel=1e-12)


def test_the_kernel_distance_of_halves_of_one_set_is_around_zero() -> None:
    x = normal(4000, 4).double()

    assert abs(mmd(x[:2000], x[2000:])) < 0.02
    assert mmd(x[:2000], x[2000:] + 1) > 1


def test_radii_and_nearest_are_what_sorting_gives() -> None:
    x, y = normal(30, 3).double(), normal(40, 3, seed=1).double()
    own = torch.cdist(x, x).sort(1).values

    torch.testing.assert_close(radii(x, 4), own[:, 4])
    torch.testing.assert_close(nearest(x, y), torch.cdist(x, y).min(1).values)
    assert torch.equal(nearest(x, x), torch.zeros(30).double())


def test_density_and_coverage_of_points_on_a_line_are_counted_by_hand() -> None:
    """Real 0, 1, 3 with k = 1: the balls reach 1, 1 and 2. Generated 0.5 lies in two of them, 9 in none."""
    real, made = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([[0.5], [9.0]])

    assert density_coverage(real, made, 1) == (2 / 2, 2 / 3)


def test_precision_and_recall_of_points_on_a_line_are_counted_by_hand() -> None:
    """Balls of the real 0, 1, 3 reach 1, 1, 2; those of the generated 0.5, 9, 10 reach 8.5, 1, 1."""
    real, made = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([[0.5], [9.0], [10.0]])

    assert on_manifold(made, real, 1) == pytest.approx(1 / 3)
    assert on_manifold(real, made, 1) == 1.0


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 8, 8), (6,)], ids=str)
def test_equal_sets_are_at_the_ideal_value(evaluation, shape) -> None:
    x = normal(120, *shape).clamp(-1, 1)
    features = RandomFeatures(in_shape=shape, width=4, size=8)
    found = {cls: cls(features=features).measure(evaluation(x, x)) for cls in SETS}

    assert found[Frechet].value == pytest.approx(0, abs=1e-9)
    assert found[KernelDistance].value < 1e-9  # unbiased: below 0 where the pairs (i, i) are left out on one side only
    assert found[PrecisionRecall].parts == {"precision": 1.0, "recall": 1.0}
    assert found[DensityCoverage].parts == {"density": 1.0, "coverage": 1.0}


@pytest.mark.parametrize("metric", SETS, ids=lambda cls: cls.__name__)
def test_neither_the_order_nor_the_batch_size_matters(evaluation, metric) -> None:
    x, y = normal(100, 1, 6, 6).clamp(-1, 1), normal(90, 1, 6, 6, seed=1).mul(0.5).clamp(-1, 1)
    measure = metric(features=RandomFeatures(in_shape=(1, 6, 6), width=4, size=6)).measure
    order = torch.randperm(90, generator=torch.Generator().manual_seed(3))
    value = measure(evaluation(x[:90], y)).value

    assert measure(evaluation(x[:90], y, batch=7)).value == pytest.approx(value, rel=1e-4)
    assert measure(evaluation(x[:90].flip(0), y[order])).value == pytest.approx(value, rel=1e-4)


@pytest.mark.parametrize("metric", [*SETS, NearestNeighbour], ids=lambda cls: cls.__name__)
def test_a_set_far_away_is_worse_than_one_that_is_near(evaluation, flat, metric) -> None:
    x, train = normal(80, 4, seed=1), normal(80, 4, seed=2)
    measure = metric(features=flat(in_shape=(4,))).measure
    near, far = (measure(evaluation(x, normal(80, 4) + shift, train=train)).value for shift in (0, 4))

    assert far > near if metric.better == "lower" else far < near


def test_copies_of_training_samples_show(evaluation) -> None:
    train, held, fresh = normal(300, 4), normal(200, 4, seed=1), normal(200, 4, seed=2)
    honest = NearestNeighbour().measure(evaluation(held, fresh, train=train))
    copying = NearestNeighbour().measure(evaluation(held, train[:200], train=train))

    assert 0.8 < honest.parts["ratio"] < 1.25
    assert honest.parts["suspects"] < 0.1
    assert (copying.parts["ratio"], copying.parts["suspects"]) == (0, 1)
    assert copying.value == math.inf
    assert copying.record()["value"] is None
    assert (copying.card["train"], copying.card["extractor_hash"]) == (300, None)


def test_entropy_is_in_bits() -> None:
    assert entropy(torch.full((8,), 1 / 8, dtype=torch.float64)) == pytest.approx(3)
    assert entropy(torch.tensor([0.0, 1.0]).double()) == 0


def test_class_entropy_counts_what_the_classifier_sees(evaluation, flat) -> None:
    network = flat(in_shape=(4,))
    network.scores = lambda features: features
    made = torch.eye(4)[[0, 0, 0, 0, 1, 1, 2, 2]]
    found = ClassEntropy(classifier=network).measure(evaluation(torch.eye(4), made))

    assert found.value == pytest.approx(1.5)
    assert found.parts == {"real": 2.0, "class-0": 0.5, "class-1": 0.25, "class-2": 0.25, "class-3": 0.0}


def test_class_entropy_wants_a_classifier(evaluation, flat) -> None:
    with pytest.raises(CommandError, match="needs a trained classifier; Flat gives no scores of classes"):
        ClassEntropy(classifier=flat(in_shape=(4,))).measure(evaluation(torch.eye(4), torch.eye(4)))


@pytest.mark.parametrize("metric", [PrecisionRecall, DensityCoverage], ids=lambda cls: cls.__name__)
def test_too_few_samples_are_refused(evaluation, flat, metric) -> None:
    with pytest.raises(CommandError, match="a 9-th neighbour needs more than 9 samples of each set; there are 4"):
        metric(features=flat(in_shape=(4,)), k=9).measure(evaluation(torch.eye(4), torch.eye(4)))


def test_a_card_says_how_the_value_was_made(evaluation) -> None:
    features = RandomFeatures(in_shape=(3,), width=2, size=4)
    card = DensityCoverage(features=features, samples=20).measure(evaluation(normal(30, 3), normal(25, 3, seed=1))).card

    assert (card["real"], card["generated"], card["resize"]) == (20, 20, "none")
    assert (card["extractor"], len(card["extractor_hash"])) == ("RandomFeatures", 16)
    assert card["sampler"].items() >= {"label": "replay", "class": "Replay", "precision": "fp32"}.items()
