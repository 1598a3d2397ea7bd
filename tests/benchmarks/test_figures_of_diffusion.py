"""The programs that make the figures of diffusion: what they count, compare and draw, and what they refuse."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from benchmarks.__main__ import WITH_WORDS, main
from benchmarks.denoisers import counted
from benchmarks.drawing import Curves, heat, signed, titled
from benchmarks.film_strip import film
from benchmarks.mixture_density import _gaussian, cells, compare
from benchmarks.sampler_steps import SAMPLERS, steps_within

from gen.building import Builder
from gen.types import DataSpec, Domain

SMALL = ("model.denoiser.width=8", "model.denoiser.multipliers=[1]", "data.batch=8")
RANDOM = ("--ruler", "random", "--count", "12", "--split", "val")


@pytest.fixture(scope="module")
def model() -> Any:
    """A flow over the plane whose network is as it was drawn."""
    torch.manual_seed(0)
    data = DataSpec.single(Domain((2,), "vector"))
    recipe = {"use": "diffusion/flow-matching", "denoiser": {"use": "diffusion/mlp", "width": 8, "depth": 1}}
    return Builder().make(recipe, path="model", data=data).eval()


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("budget", [1, 5, 10])
def test_a_sampler_spends_its_budget_of_network_calls_and_no_more(model: Any, name: str, budget: int) -> None:
    sampler = Builder().make({"use": f"diffusion/{name}", "steps": steps_within(name, budget)}, path="sample")

    with counted(model.denoiser) as rows:
        sampler.sample(model, 3, rng=torch.Generator().manual_seed(0))

    left = budget - sum(rows) / 3
    assert left == (1 if name == "heun" and budget % 2 == 0 else 0)


def test_two_gaussians_lie_as_far_apart_as_their_closed_form_says() -> None:
    x, cell = cells(96)
    spread, shift = 0.2, 0.3
    log_p, log_q = (_normal(x, at, spread) for at in (0.0, shift))

    found = compare(log_p, log_q, cell)

    assert found.kl == pytest.approx(shift**2 / (2 * spread**2), rel=1e-4)
    assert found.total == pytest.approx(math.erf(shift / (2 * math.sqrt(2) * spread)), rel=1e-3)
    assert found.mass == pytest.approx(1, abs=1e-4)


def test_a_gaussian_is_its_own_gaussian() -> None:
    x, cell = cells(64)
    log_p = _normal(x, 0.1, 0.2)

    torch.testing.assert_close(_gaussian(log_p, x, cell), log_p, rtol=1e-3, atol=1e-3)


def _normal(x: torch.Tensor, at: float, spread: float) -> torch.Tensor:
    """log N(x; (at, 0), spread² I) [N] in float64."""
    offset = x.double() - torch.tensor([at, 0.0])
    return -offset.square().sum(1) / (2 * spread**2) - math.log(2 * math.pi * spread**2)


def test_the_cells_of_a_grid_run_from_the_top_left() -> None:
    x, cell = cells(4)

    assert cell == pytest.approx(0.36)
    torch.testing.assert_close(x[0], torch.tensor([-0.9, 0.9]))
    torch.testing.assert_close(x[-1], torch.tensor([0.9, -0.9]))


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_film_has_a_frame_for_every_step_and_leaves_the_model_as_it_was(model: Any, name: str) -> None:
    sampler = Builder().make({"use": f"diffusion/{name}", "steps": 4}, path="sample")

    frames, x = film(model, sampler, 3, seed=0)

    assert [frame.x_noisy.shape for frame in frames] == [(3, 2)] * 4
    assert frames[0].t == 1
    assert all(a.t > b.t for a, b in itertools.pairwise(frames))
    torch.testing.assert_close(frames[-1].clean, x, rtol=0, atol=0.05)  # the last step is all but at clean x
    assert "denoise" not in vars(model)


def test_the_geometric_mean_stands_midway_on_a_logarithmic_axis() -> None:
    chart = Curves("", (1, 100), (1, 100), log=True, falls=True)
    ends = [chart.place(value, value) for value in (1, 10, 100)]

    assert ends[1] == pytest.approx(((ends[0][0] + ends[2][0]) / 2, (ends[0][1] + ends[2][1]) / 2))


def test_a_curve_is_drawn_where_its_points_stand() -> None:
    chart = Curves("distance", (5, 10, 20), (0.0, 1.0), log=False, falls=False)
    chart.curve([(5, 0.5), (20, 0.5)], "one")
    column, row = map(round, chart.place(10, 0.5))

    assert chart.picture()[:, row, column].tolist() == [0, 114, 178]


def test_maps_run_from_white_to_dark_and_from_blue_to_red() -> None:
    values = torch.tensor([[0.0, 1.0]])

    assert heat(values)[:, 0].T.tolist() == [[255, 255, 255], [8, 29, 88]]
    assert signed(torch.tensor([[-1.0, 0.0, 1.0]]))[:, 0].T.tolist() == [[33, 102, 172], [255, 255, 255], [178, 24, 43]]


def test_words_stand_beside_a_picture_which_stays_as_it_is() -> None:
    image = torch.randint(0, 256, (1, 9, 7), dtype=torch.uint8)

    found = titled(image, "a title", {4: "w = 2"})

    assert torch.equal(found[:, -9:, -7:], image.expand(3, -1, -1))
    assert (found[:, :-9, :] < 255).any()
    assert (found[:, -9:, :-7] < 255).any()


@pytest.mark.parametrize(
    ("words", "name", "picture", "rows"),
    [
        (["sampler-steps", *RANDOM, "--budgets", "1", "3"], "diffusion-steps", "plot", [*SAMPLERS, *SAMPLERS]),
        (["guidance-sweep", *RANDOM, "--weights", "2", "0"], "diffusion-guidance", "sweep", ["0", "2"]),
        (["film-strip", "--with", "diffusion/heun", "-n", "2", "--frames", "3"], "diffusion-film", "strip", ["t"]),
    ],
)
def test_a_figure_of_a_run_is_a_table_with_its_command_and_a_picture(
    trained: Callable[..., str], out: Path, words: list[str], name: str, picture: str, rows: list[str]
) -> None:
    path = trained("flow-digits", *SMALL)

    status = main([words[0], path, *words[1:], "-o", str(out)])
    text = (out / f"{name}.md").read_text()
    lines = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]

    assert status == 0
    assert [line for line in lines if line not in ("sampler", "w", "step")] == rows
    assert f"`python -m benchmarks {words[0]} {path}" in text
    assert "`flow-digits`: seed 0" in text
    assert f"({name}-{picture}.png)" in text
    assert (out / f"{name}-{picture}.png").read_bytes()[:4] == b"\x89PNG"


def test_the_densities_of_all_kinds_stand_beside_the_truth(out: Path) -> None:
    words = ["--steps", "2", "--size", "300", "--cells", "8", "--ode-steps", "2"]

    status = main(["mixture-density", *words, "-o", str(out)])
    lines = (out / "diffusion-mixture.md").read_text().splitlines()

    assert status == 0
    assert [line.split("|")[1].strip() for line in lines if line.startswith("| ")] == [
        *("density", "truth", "one Gaussian", "ddpm", "edm", "flow-matching")
    ]
    assert next(line for line in lines if line.startswith("| truth")).startswith("| truth |  | 0.0000 | 0.0 % | 0.000")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["guidance-sweep", "DDPM", *RANDOM], "trained without labels, and guidance leads away"),
        (
            ["sampler-steps", "DDPM", "--ruler", "nowhere"],
            "--ruler nowhere: there is no run; gen run classifier-digits",
        ),
        (["sampler-steps", "POINTS", *RANDOM], "was trained on data that are no images"),
        (["film-strip", "POINTS"], "was trained on data that are no images"),
        (["film-strip", "VAE"], "a run of vae/vae, which has no denoiser"),
        (["film-strip", "DDPM", "--with", "diffusion/inpaint"], "--with diffusion/inpaint starts from data"),
        (["film-strip", "nowhere"], "nowhere is not a run folder"),
        (["sampler-steps", "DDPM", "--budgets", "0"], "takes a whole number from 1 on, got 0"),
        (["guidance-sweep", "DDPM", "--weights", "high"], "takes numbers from 0 to 100, got high"),
        (["diffusion-speed", "walk"], "no part walk; there are train, sample, overhead"),
        (["step-tim"], f"step-time, gan-step-time, and, one at a time, {', '.join(WITH_WORDS)}"),
    ],
)
def test_what_cannot_be_measured_is_said_in_a_line(
    trained: Callable[..., str], capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    runs = {"DDPM": ("ddpm-digits", *SMALL), "POINTS": ("flow-points",), "VAE": ("vae-digits",)}
    words = [trained(*runs[word]) if word in runs else word for word in words]
    capsys.readouterr()

    try:
        status = main(words)
    except SystemExit as ended:  # argparse ends the program itself
        status = ended.code
    message = capsys.readouterr().err

    assert status == 2
    assert said in message
    assert "Traceback" not in message


def test_without_diffusers_the_comparison_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)

    assert main(["diffusion-speed", "overhead"]) == 2
    assert "not installed: pip install diffusers" in capsys.readouterr().err
