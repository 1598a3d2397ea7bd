"""The three models against a mixture whose best denoiser is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from gen.errors import GenError, OptionError, ShapeError
from gen.noise import add_noise, level_at
from gen.noise_schedules import CosineNoise, EdmNoise, LinearNoise, LinearPath, TrigonometricPath, VariancePreserving
from gen.types import Batch, CondSpec, DataSpec, Domain, Progress
from gen_diffusion.coupling import couple
from gen_diffusion.ddpm import DDPM
from gen_diffusion.flow_matching import FlowMatching
from gen_diffusion.networks.mlp import MLPDenoiser
from gen_diffusion.weightings.edm import EdmWeighting
from gen_diffusion.weightings.min_snr import MinSnr, SoftMinSnr

KINDS = [
    ("eps", LinearNoise()),
    ("x", CosineNoise()),
    ("v", VariancePreserving(zero_terminal=True)),
    ("velocity", LinearPath()),
    ("velocity", TrigonometricPath()),
    ("edm", EdmNoise()),
]
kinds = pytest.mark.parametrize(("kind", "schedule"), KINDS)


@kinds
def test_a_perfect_network_denoises_to_the_posterior_mean(perfect: Any, mixture: Any, kind: str, schedule: Any) -> None:
    model, rng = perfect(kind, schedule), torch.Generator().manual_seed(0)
    x = mixture.sample(50, rng)
    for t in (0.05, 0.4, 0.9):
        level = level_at(schedule, torch.full((50,), t))
        x_noisy = add_noise(x, torch.randn(x.shape, generator=rng), level)

        best = mixture.denoise(x_noisy, float(level.alpha[0]), float(level.sigma[0]))

        torch.testing.assert_close(model.denoise(x_noisy, torch.full((50,), t)), best, rtol=1e-6, atol=1e-6)


@kinds
def test_the_loss_is_least_at_the_perfect_network(
    perfect: Any, mixture: Any, monkeypatch: Any, kind: str, schedule: Any
) -> None:
    model = perfect(kind, schedule)
    model.times = lambda n, device: torch.full((n,), 0.4)
    batch, plain, losses = _batch(mixture, 20_000), model.denoiser.forward, []
    for scale in (0.8, 1.0, 1.2):
        monkeypatch.setattr(model.denoiser, "forward", lambda *given, scale=scale: scale * plain(*given))
        torch.manual_seed(0)
        losses.append(model.loss(batch, Progress(0, 1)).total.item())

    assert losses[1] < min(losses[0], losses[2])


@kinds
def test_estimates_are_finite_at_both_ends(perfect: Any, kind: str, schedule: Any) -> None:
    model, x = perfect(kind, schedule), torch.randn(4, 2, generator=torch.Generator().manual_seed(0))

    for t in (schedule.t_min, 1.0):
        assert torch.isfinite(model.denoise(x, torch.full((4,), t))).all()


def test_min_snr_without_a_limit_is_the_plain_loss_of_eps(perfect: Any, mixture: Any) -> None:
    plain, weighted = (perfect("eps", LinearNoise(), weighting=w) for w in (None, MinSnr(gamma=1e6)))

    assert _loss(weighted, mixture) == pytest.approx(_loss(plain, mixture), rel=1e-3)


def test_edms_weighting_on_edms_parameterization_is_no_weighting(perfect: Any, mixture: Any) -> None:
    plain, weighted = (perfect("edm", EdmNoise(), weighting=w) for w in (None, EdmWeighting()))

    assert _loss(weighted, mixture) == pytest.approx(_loss(plain, mixture), rel=1e-12)


def test_soft_min_snr_is_half_of_min_snr_at_the_corner_and_near_it_elsewhere() -> None:
    soft, hard, nsr = SoftMinSnr(gamma=4.0), MinSnr(gamma=4.0), torch.tensor([0.5, 1e-3, 1e3])

    ratio = soft(nsr) / hard(nsr)

    assert ratio.tolist() == pytest.approx([0.5, 1, 1], rel=1e-4)


def test_optimal_coupling_is_a_permutation_that_costs_least() -> None:
    rng = torch.Generator().manual_seed(0)
    x, noise = torch.randn(6, 1, generator=rng), torch.randn(6, 1, generator=rng)

    paired = couple(x, noise)

    assert sorted(paired.flatten().tolist()) == sorted(noise.flatten().tolist())
    assert paired[x.flatten().argsort()].flatten().diff().min() > 0  # in one dimension the best pairing keeps the order


def test_optimal_coupling_straightens_what_is_to_be_learned() -> None:
    model = FlowMatching(denoiser=_network(), data=DataSpec.single(Domain((2,), "vector")), coupling="optimal")
    x = torch.randn(64, 2, generator=torch.Generator().manual_seed(0)) * 3

    assert (model.noise_for(x) - x).square().sum() < (torch.randn_like(x) - x).square().sum()


def test_hidden_labels_are_the_null_label_at_the_asked_rate() -> None:
    cond = CondSpec("class", 10)
    model = DDPM(
        denoiser=_network(cond), data=DataSpec.single(Domain((2,), "vector"), cond), conditional=True, hidden=0.25
    )
    torch.manual_seed(0)
    told = model.told(torch.arange(10).repeat(2000))

    assert 0.23 < (told == 10).double().mean() < 0.27
    assert torch.equal(model.eval().told(torch.arange(10)), torch.arange(10))


def test_a_conditional_model_asks_for_labels() -> None:
    cond = CondSpec("class", 10)
    model = DDPM(denoiser=_network(cond), data=DataSpec.single(Domain((2,), "vector"), cond), conditional=True)

    with pytest.raises(GenError, match="needs them: say which, one per sample"):
        model.denoise(torch.zeros(3, 2), torch.ones(3))


def test_data_without_labels_cannot_be_told() -> None:
    with pytest.raises(ShapeError, match="the data carry none: set conditional: false"):
        DDPM.wire(DataSpec.single(Domain((2,), "vector")), conditional=True, variance="small")


def test_eps_and_an_end_without_signal_are_refused() -> None:
    with pytest.raises(
        OptionError, match="eps says nothing of x where the schedule ends without signal: choose v or x"
    ):
        DDPM(
            denoiser=_network(),
            schedule=CosineNoise(zero_terminal=True),
            data=DataSpec.single(Domain((2,), "vector")),
        )


@pytest.mark.parametrize(
    ("variance", "place", "choice"), [("small", None, 0), ("large", None, 1), ("learned", 0.5, 0.5)]
)
def test_the_variance_of_a_step_lies_where_it_is_said(variance: str, place: float | None, choice: float) -> None:
    data = DataSpec.single(Domain((2,), "vector"))
    model = DDPM(denoiser=_network(out=4 if variance == "learned" else 2), data=data, variance=variance)
    back = model.step(torch.tensor([0.5]))
    fraction = None if place is None else torch.full((1, 2), place)

    log_variance = model.log_variance(back, fraction)

    expected = choice * back.kernel.log() + (1 - choice) * back.variance.log()
    torch.testing.assert_close(log_variance, expected[:, None].expand_as(log_variance))


def _network(cond: CondSpec | None = None, out: int = 2) -> MLPDenoiser:
    return MLPDenoiser(in_shape=(2,), out_shape=(out,), cond=cond, width=8, depth=1)


def _batch(mixture: Any, n: int) -> Batch:
    return Batch(mixture.sample(n, torch.Generator().manual_seed(1)), None, torch.arange(n))


def _loss(model: Any, mixture: Any) -> float:
    torch.manual_seed(0)
    total: Callable[[], float] = model.loss(_batch(mixture, 200), Progress(0, 1)).total.item
    return total()
