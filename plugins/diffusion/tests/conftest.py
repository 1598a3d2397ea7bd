"""Perfect denoisers: networks that know the data's distribution, so that every answer can be checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from gen.component import component
from gen.interfaces import Denoiser, NoiseSchedule
from gen.noise import convert, level_at
from gen.types import CondSpec, DataSpec, Domain
from gen_diffusion.ddpm import DDPM
from gen_diffusion.edm import EDM
from gen_diffusion.flow_matching import FlowMatching
from gen_sdk.oracles.gaussian_mixture import GaussianMixture


@pytest.fixture(autouse=True)
def float64(request: pytest.FixtureRequest) -> Iterator[None]:
    """Oracles are compared in float64; the conformance kit chooses for itself."""
    if request.path.name != "test_conformance.py":
        torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def mixture() -> GaussianMixture:
    """Two dimensions, two components that overlap, within a few units of the origin."""
    weights = torch.tensor([0.3, 0.7])
    means = torch.tensor([[-1.0, 0.5], [0.8, -0.4]])
    roots = torch.tensor([[[0.5, 0.0], [0.2, 0.4]], [[0.6, 0.0], [-0.3, 0.5]]])
    return GaussianMixture(weights, means, roots @ roots.mT)


@component
class Perfect(Denoiser):
    """What a network would learn of a mixture; `calls` counts how often it was asked."""

    def known(
        self, mixture: GaussianMixture, schedule: NoiseSchedule, predicts: str, sigma_data: float = 0.5
    ) -> Perfect:
        self.mixture, self.schedule, self.predicts, self.sigma_data, self.calls = (
            mixture,
            schedule,
            predicts,
            sigma_data,
            0,
        )
        return self

    def forward(self, x_noisy: Tensor, c_noise: Tensor, cond: Tensor | None = None) -> Tensor:
        self.calls += 1
        t = c_noise if self.predicts != "edm" else self.schedule.time_of(-8 * c_noise)
        level = level_at(self.schedule, t)
        if self.predicts == "edm":
            x_noisy = x_noisy * (level.sigma**2 + (self.sigma_data * level.alpha) ** 2).sqrt()[:, None]
        clean = (
            torch.cat(
                [
                    self.mixture.denoise(x_noisy[i : i + 1], float(level.alpha[i]), float(level.sigma[i]))
                    for i in range(len(t))
                ]
            )
            if len(set(t.tolist())) > 1
            else self.mixture.denoise(x_noisy, float(level.alpha[0]), float(level.sigma[0]))
        )
        return convert(clean, x_noisy, level, "x", self.predicts, self.sigma_data)


@pytest.fixture
def perfect(mixture: GaussianMixture) -> Callable[..., Any]:
    """A model of a kind ("eps", "x", "v", "velocity", "edm") whose network knows the mixture."""

    def make(kind: str, schedule: NoiseSchedule, classes: int = 0, **options: Any) -> Any:
        cls = {"velocity": FlowMatching, "edm": EDM}.get(kind, DDPM)
        if cls is DDPM:
            options["parameterization"] = kind
        cond = CondSpec("class", classes) if classes else None
        data = DataSpec.single(Domain((2,), "vector"), cond)
        network = Perfect(in_shape=(2,), out_shape=(2,), cond=cond).known(mixture, schedule, kind)
        model = cls(denoiser=network, schedule=schedule, data=data, conditional=bool(classes), **options)
        return model.eval()

    return make
