"""Points in the plane: the density integrates to one and is that of the points."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from gen_data.densities import figure
from gen_data.points2d import Points2d
from gen_sdk.oracles.gaussian_mixture import GaussianMixture

FIGURES = ("eight-gaussians", "grid", "moons", "rings")
NOWHERE = Path("no data root is needed")
EXTENT, CELLS = 1.6, 192


@pytest.fixture(scope="module")
def plane() -> torch.Tensor:
    """The middles of the cells of a fine grid [CELLS², 2]."""
    side = ((torch.arange(CELLS) + 0.5) / CELLS * 2 - 1) * EXTENT
    return torch.cartesian_prod(side, side)


@pytest.mark.parametrize("figure", FIGURES)
def test_density_integrates_to_one(figure: str, plane: torch.Tensor) -> None:
    mass = Points2d(figure=figure).log_prob(plane).exp().sum() * (2 * EXTENT / CELLS) ** 2

    assert mass == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("figure", FIGURES)
def test_density_is_that_of_the_points(figure: str, plane: torch.Tensor) -> None:
    dataset = Points2d(figure=figure, size=20_000)
    x = dataset.open("train", NOWHERE).fetch(torch.arange(20_000)).x
    coarse = 16
    cell = ((x / EXTENT + 1) / 2 * coarse).long().clamp(0, coarse - 1)
    counts = (cell[:, 0] * coarse + cell[:, 1]).bincount(minlength=coarse**2).double()
    fine = dataset.log_prob(plane).exp().view(coarse, CELLS // coarse, coarse, CELLS // coarse).sum((1, 3))
    expected = fine.flatten() * (2 * EXTENT / CELLS) ** 2 * len(x)
    seen = expected > 5
    chi_squared = ((counts - expected)[seen] ** 2 / expected[seen]).sum()

    assert expected[seen].sum() > 0.99 * len(x)
    assert abs(chi_squared - seen.sum()) < 5 * math.sqrt(2 * seen.sum())  # five standard deviations


@pytest.mark.parametrize("name", [name for name in FIGURES if name != "rings"])
def test_figures_of_points_are_mixtures_of_gaussians(name: str) -> None:
    centres = figure(name, 0.1).centres.double()
    count = len(centres)
    covariances = 0.01 * torch.eye(2, dtype=torch.float64).expand(count, 2, 2)
    mixture = GaussianMixture(torch.full((count,), 1 / count, dtype=torch.float64), centres, covariances)
    x = torch.rand(100, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2 - 1

    torch.testing.assert_close(Points2d(figure=name, noise=0.1).log_prob(x), mixture.log_prob(x), rtol=1e-6, atol=1e-6)


def test_rings_have_the_closed_form_of_one_circle_in_the_middle() -> None:
    dataset = Points2d(figure="rings", noise=0.1)
    middle = sum(math.exp(-(r**2) / 0.02) / (2 * math.pi * 0.01) for r in (0.3, 0.55, 0.8)) / 3

    assert dataset.log_prob(torch.zeros(1, 2)).item() == pytest.approx(math.log(middle), rel=1e-6)


def test_density_far_away_is_finite() -> None:
    far = torch.tensor([[30.0, 0.0]])

    assert all(Points2d(figure=figure, noise=0.02).log_prob(far).isfinite().all() for figure in FIGURES)


@pytest.mark.parametrize("figure", FIGURES)
def test_points_are_fixed_by_the_options(figure: str) -> None:
    rows = {
        split: Points2d(figure=figure, size=100, val=30, test=20).open(split, NOWHERE)
        for split in ("train", "val", "test")
    }
    again = Points2d(figure=figure, size=100).open("train", NOWHERE)
    other = Points2d(figure=figure, size=100, seed=1).open("train", NOWHERE)

    assert [len(part) for part in rows.values()] == [100, 30, 20]
    assert again.fingerprint() == rows["train"].fingerprint() != other.fingerprint()
    assert len({str(part.fetch(torch.tensor([0])).x) for part in rows.values()}) == 3


@pytest.mark.parametrize(("figure", "classes"), [*zip(FIGURES, (8, 25, 2, 3), strict=True)])
def test_bulk_lies_in_range_and_labels_below_their_number(figure: str, classes: int) -> None:
    rows = Points2d(figure=figure).open("train", NOWHERE)
    x, cond, _ = rows.fetch(torch.arange(len(rows)))

    assert (rows.spec.shape, rows.spec.domain.modality, rows.spec.cond.size) == ((2,), "vector", classes)
    assert (x.abs() <= 1).all(1).double().mean() > 0.99
    assert cond.unique().tolist() == list(range(classes))
