"""Guidance by a weaker network: away from what it says, and nowhere where it says the same."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from gen.errors import OptionError
from gen.noise_schedules import LinearPath
from gen_diffusion.networks.mlp import MLPDenoiser
from gen_diffusion.samplers.ode import Euler


def test_a_network_that_guides_itself_changes_nothing(perfect: Any) -> None:
    model = perfect("velocity", LinearPath())
    plain, guided = (
        Euler(steps=4, **options).sample(model, 5, rng=torch.Generator().manual_seed(0))
        for options in ({}, {"guide": model.denoiser, "guidance": 3.0})
    )

    torch.testing.assert_close(guided, plain)


def test_guidance_leads_away_from_the_weaker_estimate(perfect: Any) -> None:
    model, x, t = perfect("velocity", LinearPath()), torch.randn(5, 2), torch.full((5,), 1.0)
    guide = MLPDenoiser(in_shape=(2,), out_shape=(2,), width=8, depth=1)
    rng = torch.Generator()
    walk = Euler(guide=guide, guidance=3.0).start(model, None, rng)
    strong, weak = model.denoise(x, t), x - guide(x, t)  # at t = 1 of the linear path x is the noise: clean = x - v

    with torch.no_grad():
        torch.testing.assert_close(walk.clean(x, 0), weak + 3 * (strong - weak))


def test_a_guide_of_other_data_is_refused_in_one_sentence(perfect: Any) -> None:
    guide = MLPDenoiser(in_shape=(3,), out_shape=(3,), width=8, depth=1)

    with pytest.raises(OptionError, match=r"guide maps \(3,\) to \(3,\) by no labels, but .* trained on the same"):
        Euler(guide=guide, guidance=3.0).sample(perfect("velocity", LinearPath()), 2, rng=torch.Generator())
