"""How well a model rebuilds data: mean squared error, PSNR, structural similarity (on torchmetrics).

Each is a mean over the samples of the split. x and its reconstruction are in the range [low, high] of the data.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from gen.component import component
from gen.errors import CommandError
from gen.evaluate import Evaluation, Measured
from gen.interfaces import Metric

__all__ = ["MSE", "PSNR", "SSIM"]


@component
class MSE(Metric):
    """Mean squared error of the reconstruction, a mean over dimensions, in the unit of the data squared."""

    needs = ("reconstruct",)

    def measure(self, evaluation: Evaluation) -> Measured:
        return _mean(evaluation, lambda x, y: (x - y).square().flatten(1).mean(1), "range²")


@component
class PSNR(Metric):
    """Peak signal-to-noise ratio of the reconstruction: 10 log10((high - low)² / MSE), a mean over samples."""

    needs = ("reconstruct",)
    better = "higher"

    def measure(self, evaluation: Evaluation) -> Measured:
        low, high = evaluation.domain.range
        dim = tuple(range(1, len(evaluation.domain.shape) + 1))

        def psnr(x: Tensor, y: Tensor) -> Tensor:
            return peak_signal_noise_ratio(y, x, data_range=high - low, dim=dim, reduction="none")

        return _mean(evaluation, psnr, "dB")


@component
class SSIM(Metric):
    """Structural similarity of the reconstruction (Wang et al. 2004), a mean over samples; 1 = equal.

    Pixels count from the low end of the range: SSIM takes intensities, and signs would cancel (-x would be like x).
    The window is a Gaussian of 1.5 pixels; on images with a side below 11 it is as large as fits, as the card says.
    """

    needs = ("reconstruct",)
    better = "higher"

    def measure(self, evaluation: Evaluation) -> Measured:
        low, high = evaluation.domain.range
        shape = evaluation.domain.shape
        if len(shape) != 3 or min(shape[1:]) < 3:
            raise CommandError(f"metrics/ssim compares images of 3 pixels or more a side; the data are {shape}")
        sigma = min(1.5, (min(shape[1:]) - 1) // 2 / 3.5)

        def ssim(x: Tensor, y: Tensor) -> Tensor:
            span = high - low
            found = structural_similarity_index_measure(
                y - low, x - low, data_range=span, sigma=sigma, reduction="none"
            )
            assert isinstance(found, Tensor)
            return found

        return _mean(evaluation, ssim, "", sigma=sigma)


def _mean(evaluation: Evaluation, error: Any, unit: str, **card: Any) -> Measured:
    """The mean over the split of a measure of (x, reconstruction) → [B]."""
    model: Any = evaluation.model

    def per_sample(batch: Any) -> Tensor:
        y = model.reconstruct(batch.x, batch.cond)
        return error(batch.x.double(), y.double()).reshape(len(batch.x))

    values = evaluation.rows(per_sample)  # [N]
    return Measured(float(values.to(torch.float64).mean()), unit, {}, card)
