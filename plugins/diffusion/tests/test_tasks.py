"""Tasks on a perfect denoiser of a Gaussian, whose conditional law is known: moments, exactness, round trips."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from gen.errors import GenError, ShapeError
from gen.noise_schedules import CosineNoise, EdmNoise, LinearPath, TrigonometricPath, VariancePreserving
from gen.types import CondSpec, DataSpec, Domain, Given
from gen_diffusion.samplers.ddim import DDIM
from gen_diffusion.samplers.dpm_solver import DPMSolver
from gen_diffusion.samplers.ode import Heun
from gen_diffusion.tasks.deblur import Deblur
from gen_diffusion.tasks.edit import Edit
from gen_diffusion.tasks.inpaint import Inpaint
from gen_diffusion.tasks.interpolate import Interpolate
from gen_diffusion.tasks.linear import averaging, blurring
from gen_diffusion.tasks.noise_space import invert, spherical
from gen_diffusion.tasks.super_resolve import SuperResolve
from gen_sdk.oracles.gaussian_mixture import GaussianMixture

SCHEDULES = [CosineNoise(), VariancePreserving(zero_terminal=True), EdmNoise(), LinearPath()]
schedules = pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: type(s).__name__)
SHAPE = (1, 4, 4)


class Known:
    """A model of a Gaussian over `shape`, each answer exact; labels shift the mean."""

    conditional = True

    def __init__(self, mean: Tensor, covariance: Tensor, shape: tuple[int, ...], schedule: Any, classes: int = 0):
        self.truth = GaussianMixture(torch.ones(1), mean[None], covariance[None])
        self.schedule = schedule
        kind = "vector" if len(shape) == 1 else "image"
        cond = CondSpec("class", classes) if classes else None
        self.data = DataSpec.single(Domain(shape, kind), cond)  # type: ignore[arg-type]

    def denoise(self, x: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        alpha, sigma = self.schedule.alpha(t[:1]).item(), self.schedule.sigma(t[:1]).item()
        shift = torch.zeros(len(x)) if cond is None else 0.5 * cond
        away = (alpha * shift).view(-1, *[1] * (x.dim() - 1))
        clean = self.truth.denoise((x - away).flatten(1), alpha, sigma).view_as(x)
        return clean + shift.view(-1, *[1] * (x.dim() - 1))


def correlated(schedule: Any) -> Known:
    """Two numbers of correlation 0.8."""
    return Known(torch.tensor([0.2, -0.1]), torch.tensor([[0.36, 0.24], [0.24, 0.25]]), (2,), schedule)


def image(schedule: Any = None, classes: int = 0) -> Known:
    """4x4 pixels, neighbours alike."""
    places = torch.cartesian_prod(torch.arange(4.0), torch.arange(4.0))
    covariance = 0.25 * torch.exp(-0.5 * torch.cdist(places, places).square() / 2) + 0.01 * torch.eye(16)
    return Known(torch.linspace(-0.3, 0.3, 16), covariance, SHAPE, schedule or CosineNoise(), classes)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draws(n: int = 4, seed: int = 9) -> Tensor:
    return image().truth.sample(n, rng(seed)).view(n, *SHAPE)


@schedules
@pytest.mark.parametrize(("method", "repeats"), [("replacement", 20), ("projection", 20)])
def test_inpainted_values_have_the_conditional_mean_and_variance(method: str, repeats: int, schedule: Any) -> None:
    """Of 1,000 samples: 4 standard errors, and 3 % of the standard deviation for finite steps."""
    n, model, x0 = 1000, correlated(schedule), 1.0
    mean, covariance = model.truth.means[0], model.truth.covariances[0]
    expected = mean[1] + covariance[0, 1] / covariance[0, 0] * (x0 - mean[0])
    std = (covariance[1, 1] - covariance[0, 1] ** 2 / covariance[0, 0]).sqrt()
    given = Given(torch.tensor([[x0, 99.0]]), torch.tensor([[1.0, 0.0]]))

    task = Inpaint(steps=80, stretch=4, repeats=repeats, method=method, grid="karras")
    x = task.sample(model, n, rng=rng(), given=given)

    assert (x[:, 0] == x0).all()
    assert x[:, 1].mean().item() == pytest.approx(expected.item(), abs=(4 / math.sqrt(n) + 0.03) * std.item())
    assert x[:, 1].std().item() == pytest.approx(std.item(), rel=4 / math.sqrt(2 * n) + 0.03)


@pytest.mark.parametrize("method", ["replacement", "projection"])
def test_resampling_brings_the_unknown_towards_its_conditional_mean(method: str) -> None:
    model, errors = correlated(CosineNoise()), []
    mean, covariance = model.truth.means[0], model.truth.covariances[0]
    expected = mean[1] + covariance[0, 1] / covariance[0, 0] * (1.0 - mean[0])
    given = Given(torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 0.0]]))
    for repeats in (1, 3, 10):
        task = Inpaint(steps=40, stretch=4, repeats=repeats, method=method)
        x = task.sample(model, 2000, rng=rng(), given=given)
        errors.append(abs(x[:, 1].mean() - expected).item())

    assert errors[0] > 2 * errors[1] > 2 * errors[2]


@pytest.mark.parametrize("method", ["replacement", "projection"])
def test_values_under_the_mask_change_nothing_and_samples_differ(method: str) -> None:
    x, mask = draws(1), torch.zeros(1, *SHAPE)
    mask[..., :2] = 1
    task, other = Inpaint(steps=8, repeats=2, method=method), torch.where(mask > 0, x, torch.nan)

    first, second = (task.sample(image(), 5, rng=rng(), given=Given(each, mask)) for each in (x, other))

    assert torch.equal(first, second)
    assert torch.equal(first * mask, (x * mask).expand_as(first))
    assert (first.std(0)[..., 2:] > 0.02).all()


def test_a_mask_of_one_channel_serves_colour() -> None:
    model = Known(torch.zeros(8), 0.2 * torch.eye(8), (2, 2, 2), LinearPath())
    x, mask = torch.rand(3, 2, 2, 2), torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]]])

    made = Inpaint(steps=4).sample(model, 3, rng=rng(), given=Given(x, mask))

    assert torch.equal(made * mask, x * mask)


@pytest.mark.parametrize("method", ["replacement", "projection"])
@pytest.mark.parametrize("factor", [2, 4])
def test_what_was_enlarged_is_the_small_image_when_made_small(factor: int, method: str) -> None:
    x, smaller = draws(), averaging(4, 4, factor)

    task = SuperResolve(steps=10, factor=factor, method=method)
    from_whole, from_small = (task.sample(image(), 4, rng=rng(), given=Given(each)) for each in (x, smaller(x)))

    torch.testing.assert_close(smaller(from_whole), smaller(x))
    torch.testing.assert_close(from_small, from_whole)
    assert from_small.shape == x.shape


def test_enlarged_images_have_the_conditional_moments() -> None:
    """y = A x of a Gaussian: the law of x given y in closed form. Variances fall short by what 200 steps leave out."""
    model, x, n = image(), draws(1), 500
    smaller = averaging(4, 4, 2)
    a = smaller(torch.eye(16).view(16, *SHAPE)).flatten(1).T  # [4, 16]
    mean, covariance = model.truth.means[0], model.truth.covariances[0]
    gain = covariance @ a.T @ torch.linalg.inv(a @ covariance @ a.T)
    expected = mean + gain @ (a @ (x.flatten() - mean))
    left = (covariance - gain @ a @ covariance).diagonal()

    task = SuperResolve(steps=200, repeats=3, grid="karras")
    made = task.sample(model, n, rng=rng(), given=Given(x)).flatten(1)

    torch.testing.assert_close(made.mean(0), expected, rtol=0, atol=4 * left.max().sqrt().item() / math.sqrt(n))
    assert (made.var(0) / left).mean().item() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("radius", [0.4, 1.5])
def test_what_was_sharpened_is_as_blurred_as_what_was_given(radius: float) -> None:
    """In all that the blur does not weaken below the floor."""
    x, blur = draws(), blurring(4, 4, radius, 0.05)

    made, own = (
        Deblur(steps=10, radius=radius).sample(image(), 4, rng=rng(), given=given)
        for given in (Given(x), Given(blur(x), observed=True))
    )

    torch.testing.assert_close(blur.project(made), blur.project(x))
    torch.testing.assert_close(own, made)


def test_an_edit_of_strength_zero_is_the_identity_and_of_one_a_fresh_sample() -> None:
    model, x, solver = image(), draws(), DPMSolver(steps=10)

    same, fresh = (Edit(strength=s, solver=solver).sample(model, 4, rng=rng(3), given=Given(x)) for s in (0.0, 1.0))

    assert torch.equal(same, x)
    assert torch.equal(fresh, solver.sample(model, 4, rng=rng(3)))


@schedules
def test_an_edit_strays_further_the_stronger_it_is(schedule: Any) -> None:
    model, x = image(schedule), draws(64)
    gaps = [
        (Edit(strength=s, solver=DDIM(steps=20)).sample(model, 64, rng=rng(), given=Given(x)) - x).square().mean()
        for s in (0.02, 0.2, 0.4, 0.7, 0.95)
    ]

    assert gaps[0] < 0.01
    assert all(a < b for a, b in pairwise(gaps))


@pytest.mark.parametrize(
    "solver", [DDIM(steps=60), Heun(steps=30), DPMSolver(steps=20)], ids=lambda s: type(s).__name__
)
def test_edits_of_data_are_data(solver: Any) -> None:
    """Noise added and taken away again leaves the law of the data as it is."""
    model = correlated(TrigonometricPath())
    x = model.truth.sample(4000, rng(5))

    made = Edit(strength=0.6, solver=solver).sample(model, 4000, rng=rng(), given=Given(x))

    torch.testing.assert_close(made.mean(0), model.truth.means[0], rtol=0, atol=0.05)
    torch.testing.assert_close(made.T.cov(), model.truth.covariances[0], rtol=0, atol=0.04)


@schedules
def test_inverting_and_sampling_gives_back_the_data_with_order_two(schedule: Any) -> None:
    model, x, errors = image(schedule), draws(), []
    for steps in (40, 80):
        solver = Heun(steps=steps, grid="karras")
        noise = invert(solver.start(model, None, rng()), x)
        errors.append((solver.walk(solver.start(model, None, rng()), noise) - x).abs().max().item())

    assert errors[1] < 0.01
    assert errors[1] < 1e-3 or math.log2(errors[0] / errors[1]) > 1.7  # 0.002 of noise at the last stop is a floor


@schedules
def test_inversion_finds_noise_of_the_schedules_spread(schedule: Any) -> None:
    model, one = correlated(schedule), torch.ones(1)
    walk = Heun(steps=40, grid="karras").start(model, None, rng())
    x = model.truth.sample(2000, rng(5))

    noise = invert(walk, x)

    alpha, sigma = schedule.alpha(one), schedule.sigma(one)
    truth = alpha**2 * model.truth.covariances[0] + sigma**2 * torch.eye(2)
    torch.testing.assert_close(noise.T.cov() / sigma**2, truth / sigma**2, rtol=0, atol=0.1)


def test_a_row_of_blends_begins_and_ends_with_its_pair() -> None:
    model, x = image(), draws(4)
    task = Interpolate(frames=5, solver=Heun(steps=40, grid="karras"))

    made = task.sample(model, 10, rng=rng(), given=Given(x)).view(2, 5, *SHAPE)

    torch.testing.assert_close(made[:, 0], x[::2], rtol=0, atol=0.01)
    torch.testing.assert_close(made[:, -1], x[1::2], rtol=0, atol=0.01)
    steps = made.diff(dim=1).flatten(2).norm(dim=2)
    assert (steps.amax(1) < 3 * steps.amin(1)).all()


def test_an_arc_keeps_the_length_of_noise_and_is_straight_where_it_must_be() -> None:
    a, b = torch.randn(2, 3, 50, generator=rng())
    a, b = a / a.norm(dim=1, keepdim=True), b / b.norm(dim=1, keepdim=True)
    share = torch.linspace(0, 1, 7)

    path = spherical(a, b, share)

    torch.testing.assert_close(path.norm(dim=2), torch.ones(3, 7))
    torch.testing.assert_close(path[:, 0], a)
    torch.testing.assert_close(spherical(a, 3 * a, share)[:, 3], 2 * a)


TASKS = [
    Inpaint(steps=6, repeats=2, stretch=3),
    SuperResolve(steps=6),
    Deblur(steps=6),
    Edit(solver=DDIM(steps=6)),
    Interpolate(frames=3, solver=Heun(steps=6)),
]
tasks = pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)


def started(n: int = 4) -> Given:
    mask = torch.zeros(1, *SHAPE)
    mask[..., :2] = 1
    return Given(draws(n), mask)


@tasks
def test_labels_reach_the_model_and_guidance_acts(task: Any) -> None:
    model, given = image(classes=3), started()
    low, high = (task.sample(model, 4, rng=rng(), given=given, cond=torch.full((4,), label)) for label in (0, 2))
    assert not torch.allclose(low, high, atol=1e-4)


@tasks
def test_pictures_show_what_a_task_started_from(task: Any) -> None:
    given = started()
    x = task.sample(image(), 6, rng=rng(), given=given)

    rows = task.rows(image(), x, given)

    assert rows[-1] is x
    assert all(row.shape == x.shape for row in rows)


@tasks
def test_a_task_without_data_says_so(task: Any) -> None:
    with pytest.raises(GenError, match=rf"{type(task).__name__} starts from data: give it some as Given\(x=…\)"):
        task.sample(image(), 2, rng=rng())


def test_an_observed_picture_is_shown_without_a_truth() -> None:
    x, task = draws(), Deblur(steps=4)
    model = image()

    assert len(task.rows(model, x, Given(x))) == 3
    assert len(task.rows(model, x, Given(x, observed=True))) == 2


@pytest.mark.parametrize(
    ("task", "given", "said"),
    [
        (Inpaint(), Given(torch.zeros(2, *SHAPE)), "Inpaint needs a mask as well"),
        (Inpaint(), Given(torch.zeros(2, 1, 3, 3), torch.zeros(1, 1, 3, 3)), r"given samples of \(1, 3, 3\); it takes"),
        (Inpaint(), Given(torch.zeros(2, *SHAPE), torch.zeros(1, 4, 4)), r"a mask of \(4, 4\); it takes \(1, 4, 4\)"),
        (SuperResolve(factor=3), Given(torch.zeros(2, *SHAPE)), "factor: 3 does not divide 4x4 pixels"),
        (SuperResolve(), Given(torch.zeros(2, 1, 3, 3)), r"it takes \(1, 2, 2\) or \(1, 4, 4\)"),
        (Deblur(), Given(torch.zeros(2, 1, 2, 2)), r"Deblur was given samples of \(1, 2, 2\)"),
    ],
)
def test_what_a_task_cannot_start_from_is_refused(task: Any, given: Given, said: str) -> None:
    with pytest.raises(GenError, match=said):
        task.sample(image(), 2, rng=rng(), given=given)


@pytest.mark.parametrize("task", [SuperResolve(), Deblur()])
def test_tasks_of_images_refuse_points(task: Any) -> None:
    with pytest.raises(ShapeError, match=r"works on images \[C, H, W\]; these data have the shape \(2,\)"):
        task.sample(correlated(CosineNoise()), 2, rng=rng(), given=Given(torch.zeros(2, 2)))
