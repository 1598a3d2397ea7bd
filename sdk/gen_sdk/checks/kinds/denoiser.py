"""What a denoiser promises: it reads the noise level, for one or for each sample, at both ends."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gen_sdk.checks.check import check, expect
from gen_sdk.checks.kinds.network import shown
from gen_sdk.checks.kinds.probing import expect_close, expect_shape, shake
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS"]

KINDS = ("denoiser",)


def _made(subject: Subject) -> tuple[Any, Tensor]:
    network = shake(subject.make()).eval()
    return network, shown(network, 3)


@check(tier="bronze", kinds=KINDS, hint="expand c_noise to [B] before it is embedded: c_noise.expand(len(x))")
def noise_level_is_scalar_or_batched(subject: Subject) -> None:
    """A noise level without dimensions says the same as that level [B] for every sample, in float32 and float64."""
    network, x = _made(subject)
    batched = network(x, torch.full((3,), 0.3))
    expect_shape(batched, (3, *network.out_shape), "the output")
    expect_close(network(x, torch.tensor(0.3)), batched, 1e-5, "a scalar level against the batch of it")
    wide = network(x, torch.full((3,), 0.3, dtype=torch.float64))
    expect(wide.dtype == x.dtype, f"a float64 level makes the output {wide.dtype}")


@check(tier="bronze", kinds=KINDS, hint="embed c_noise per sample and add it to every block")
def noise_level_is_read_per_sample(subject: Subject) -> None:
    """Another level changes the output of its own sample, and of no other."""
    network, x = _made(subject)
    first = network(x, torch.tensor([0.2, 0.2, 0.2]))
    other = network(x, torch.tensor([0.2, 0.7, 0.2]))
    expect(not torch.equal(first[1], other[1]), "a sample comes out the same at two noise levels")
    expect_close(other[[0, 2]], first[[0, 2]], 1e-5, "samples whose own level stayed the same")


@check(tier="silver", kinds=KINDS, hint="embed the level with bounded functions (sines), in float32 at least")
def noise_levels_end_finite(subject: Subject) -> None:
    """Levels from -10 to 1000, 0 included, give finite outputs: times, log-SNRs and timesteps all occur."""
    network, x = _made(subject)
    for level in (-10.0, 0.0, 1e-6, 1.0, 1000.0):
        out = network(x, torch.full((3,), level))
        expect(bool(out.isfinite().all()), f"the output is not finite at the noise level {level:g}")


CHECKS = (noise_level_is_scalar_or_batched, noise_level_is_read_per_sample, noise_levels_end_finite)
