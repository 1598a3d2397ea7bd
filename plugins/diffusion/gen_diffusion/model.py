"""What the denoising families share: a network that sees x_noisy, a schedule, a weighted squared error, labels.

    x_noisy = alpha(t) x + sigma(t) noise,    loss = w E || output - target ||^2 per dimension

The target is what the parameterization names; w is 1, or weighting(sigma/alpha) on the squared error of x that the
output's error stands for. Shapes: B batch, x and x_noisy [B, *shape], t [B] in [0, 1].
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gen.component import interface, option, slot
from gen.interfaces import Denoiser, Model, NoiseSchedule, Phase, Weighting
from gen.joins import cond_of, labels_told
from gen.noise import Level, add_noise, convert, level_at, target_of
from gen.precision import no_autocast, widen
from gen.types import Batch, DataSpec, Losses, Progress, Shapes

__all__ = ["DenoisingModel"]


@interface
class DenoisingModel(Model):
    """A model that estimates clean x from x_noisy: what every sampler of this plugin runs on."""

    phase_names = ("denoiser",)
    denoiser: Denoiser = slot(doc="x_noisy and its noise level to what the parameterization names")
    weighting: Weighting | None = slot(
        default=None, doc="weight on the squared error of x; none: the output's own error"
    )
    conditional: bool = option(False, doc="tell the denoiser the labels")
    hidden: float = option(0.1, min=0, max=1, doc="share of labels hidden in training, which guidance builds on")
    schedule: NoiseSchedule

    @classmethod
    def wire(cls, data: DataSpec, conditional: bool, **_: Any) -> Mapping[str, Shapes]:
        return {"denoiser": Shapes(data.shape, data.shape, cond_of(data, conditional, kind="class"))}

    def phases(self) -> Sequence[Phase]:
        return [Phase("denoiser", train=[self.denoiser], loss=self.loss)]

    @property
    @abstractmethod
    def predicts(self) -> str:
        """The parameterization of the network's output: one of `gen.noise.PARAMETERIZATIONS`."""

    @abstractmethod
    def times(self, n: int, device: torch.device) -> Tensor:
        """n times [n] to train at, from the global generator."""

    @abstractmethod
    def output(self, x_noisy: Tensor, t: Tensor, level: Level, cond: Tensor | None) -> Tensor:
        """What the network says of x_noisy [B, *shape] at t [B], in float32."""

    def noise_for(self, x: Tensor) -> Tensor:
        """The noise [B, *shape] that a batch x meets in training."""
        return torch.randn_like(x)

    def spread(self) -> float:
        """The standard deviation of the data that the parameterization assumes (EDM's sigma_data)."""
        return 0.5

    def loss(self, batch: Batch, progress: Progress) -> Losses:
        """What training minimises."""
        return self.simple_loss(batch)

    def simple_loss(self, batch: Batch) -> Losses:
        """The squared error of the prediction, a mean over dimensions and samples."""
        x, noise, t = batch.x, self.noise_for(batch.x), self.times(len(batch.x), batch.x.device)
        with no_autocast(x.device):
            x_noisy, level = self.noisy(x, noise, t)
        prediction = self.output(x_noisy, t, level, self.told(batch.cond))
        with no_autocast(x.device):
            total, error = self.squared_error(prediction, x, noise, level)
            return Losses(total, {} if self.weighting is None else {"squared_error": error})

    def noisy(self, x: Tensor, noise: Tensor, t: Tensor) -> tuple[Tensor, Level]:
        """x_noisy [B, *shape] at the times t [B], and their level."""
        level = level_at(self.schedule, t)
        return add_noise(x, noise, level), level

    def squared_error(self, prediction: Tensor, x: Tensor, noise: Tensor, level: Level) -> tuple[Tensor, Tensor]:
        """The weighted and the plain squared error of a prediction, per dimension, means over the batch."""
        target = target_of(x, noise, level, self.predicts, self.spread())
        error = (prediction - target).square().flatten(1).mean(1)  # [B]
        weighted = error if self.weighting is None else error * self.weight(level)
        return weighted.mean(), error.mean()

    def weight(self, level: Level) -> Tensor:
        """The factor [B] that turns a squared error of the output into a weighted one of x."""
        assert self.weighting is not None, "there is a weighting where its weight is asked for"
        one, zero = torch.ones_like(level.alpha), torch.zeros_like(level.alpha)
        gain = convert(one, zero, level, self.predicts, "x", self.spread())  # [B]
        return self.weighting(level.nsr) * gain.square()

    def denoise(self, x_noisy: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """The estimate of clean x [B, *shape] in float32; labels may be the null label `data.cond.null`."""
        with no_autocast(x_noisy.device):
            level = level_at(self.schedule, t)
        output = self.output(x_noisy, t, level, self.labels(cond))
        with no_autocast(x_noisy.device):
            return convert(output, widen(x_noisy), level, self.predicts, "x", self.spread())

    def told(self, cond: Tensor | None) -> Tensor | None:
        """The labels [B] of a training batch, some of them hidden behind the null label."""
        cond = self.labels(cond)
        if cond is None or not self.training or not self.hidden or self.data.cond is None:
            return cond
        mask = torch.rand(cond.shape[:1], device=cond.device) < self.hidden
        return torch.where(mask, self.data.cond.null, cond)

    def labels(self, cond: Tensor | None) -> Tensor | None:
        """The labels as the network takes them: none for a model without labels.

        Raises:
            GenError: a conditional model is asked without labels.
        """
        return labels_told(self.conditional, cond)
