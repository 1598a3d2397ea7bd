"""Generative adversarial networks (Goodfellow et al. 2014, arXiv:1406.2661).

    the discriminator D minimises its side of the loss on x ~ data and y = G(z);  the generator G its own, on D(y)

One model for all of them: the loss is a slot, and so are penalties, the augmentation of what D sees, and both networks.
Shapes: B batch, D size of z.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gen.component import component, option, slot
from gen.errors import ShapeError
from gen.interfaces import AdversarialLoss, Corruption, Discriminator, Generator, Model, Phase, Regularizer
from gen.joins import check_joins, check_serves, cond_of, labels_told
from gen.types import Batch, Contest, DataSpec, Losses, Progress, Shapes
from gen_gan.diversity import ALARM, diversity

__all__ = ["GAN"]


@component
class GAN(Model):
    """Generative adversarial network: a generator learns to pass for the data before a discriminator.

    A step updates the generator, then the discriminator, which meets the very samples that the generator was judged
    by: they are made once. Both gradients are those before the step. Further updates of the discriminator in a step
    (`optim.discriminator.repeat`) draw new samples.

    Logged: the mean logits `real` and `fake`, the penalties, and `diversity`: the variance of a batch of samples over
    that of a batch of data. Near 0 the generator makes one thing only; a warning then says so.
    """

    phase_names = ("generator", "discriminator")
    example: ClassVar[dict[str, object]] = {
        "latent": 4,
        "generator": {"use": "gan/dcgan-generator", "width": 8, "max_width": 16},
        "discriminator": {"use": "gan/dcgan-discriminator", "width": 8, "max_width": 16},
    }
    generator: Generator = slot(doc="z to x")
    discriminator: Discriminator = slot(doc="x to a logit")
    loss: AdversarialLoss = slot(default="losses/non-saturating", doc="both sides of the game")
    regularizers: tuple[Regularizer, ...] = slot(default=(), doc="penalties on the discriminator, its weights' bounds")
    generator_regularizers: tuple[Regularizer, ...] = slot(default=(), doc="penalties that the generator minimises too")
    augment: Corruption | None = slot(doc="what the discriminator sees of x and y; gradients must pass through it")
    latent: int = option(64, min=1, max=1_000_000, doc="size of z, a standard normal")
    conditional: bool = option(False, doc="tell generator and discriminator the labels")

    @classmethod
    def wire(cls, data: DataSpec, latent: int, conditional: bool, **_: Any) -> Mapping[str, Shapes]:
        cond = cond_of(data, conditional)
        return {"generator": Shapes((latent,), data.shape, cond), "discriminator": Shapes(data.shape, (), cond)}

    def build(self) -> None:
        check_joins(self, self.wire(self.data, latent=self.latent, conditional=self.conditional))
        check_serves("regularizers", self.regularizers, "discriminator")
        check_serves("generator_regularizers", self.generator_regularizers, "generator")
        limits, free = self.data.domain.range, getattr(type(self.generator), "traits", {}).get("unbounded", False)
        if limits != (-1.0, 1.0) and not free:
            made = f"{type(self.generator).__name__} puts out [-1, 1]"
            raise ShapeError(f"the data have the range {limits}, and {made}: bring them there with data/range")
        batched = (nn.BatchNorm1d, nn.BatchNorm2d)
        self.joint = not any(isinstance(module, batched) for module in self.discriminator.modules())
        self._made: tuple[int, deque[Tensor]] = (-1, deque())
        self._diversity: Tensor | None = None

    def phases(self) -> Sequence[Phase]:
        return [
            Phase("generator", train=[self.generator], loss=self.generator_loss),
            Phase("discriminator", train=[self.discriminator], loss=self.discriminator_loss),
        ]

    def generator_loss(self, batch: Batch, progress: Progress) -> Losses:
        """The generator's side, in the loss's unit; a paired loss is shown the real samples too."""
        told = labels_told(self.conditional, batch.cond)
        made = self.generator(_latents(batch.x, self.latent), told)  # [B, *shape]
        self._keep(made.detach(), progress.step)
        fake = self._shown(made)
        with torch.no_grad():
            real = self._shown(batch.x)
            judged = self.discriminator(real, told) if self.loss.paired else None
        logits = self.discriminator(fake, told)
        total = self.loss.generator(logits, judged)
        self._diversity = diversity(made.detach(), batch.x)
        terms = {"fake": logits.float().mean(), "diversity": self._diversity}
        total = _added(
            total, terms, self.generator_regularizers, self.discriminator, Contest(real, fake, told), progress
        )
        return Losses(total, terms)

    def discriminator_loss(self, batch: Batch, progress: Progress) -> Losses:
        """The discriminator's side and its penalties, in the loss's unit."""
        told = labels_told(self.conditional, batch.cond)
        with torch.no_grad():
            made = self._reuse(len(batch.x), progress.step)
            if made is None:
                made = self.generator(_latents(batch.x, self.latent), told)  # [B, *shape]
            real, fake = self._shown(batch.x), self._shown(made)
        due = any(regularizer.due(progress) for regularizer in self.regularizers)
        with torch.enable_grad() if due else _as_it_is():  # evaluation asks for penalties too
            on_real, on_fake = self._judged(real, fake, told, due)
        terms = {"real": on_real.float().mean(), "fake": on_fake.float().mean()}
        contest = Contest(real, fake, told, on_real, on_fake)
        total = self.loss.discriminator(on_real, on_fake)
        total = _added(total, terms, self.regularizers, self.discriminator, contest, progress)
        return Losses(total, terms)

    def after_step(self, phase: str, progress: Progress) -> None:
        if phase == "discriminator":
            for regularizer in self.regularizers:
                regularizer.constrain(self.discriminator)
        elif self._diversity is not None and progress.turn % ALARM.every == ALARM.every - 1:
            value = self._diversity.item()  # once in hundreds of turns: a device would wait for it
            if value < ALARM.below:
                warnings.warn(ALARM.text(progress.step, value), stacklevel=2)

    def generate(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """The samples [B, *shape] that z [B, D] stands for, clipped to the range of the data."""
        x: Tensor = self.generator(z, labels_told(self.conditional, cond))
        return x.float().clamp(*self.data.domain.range)

    def _judged(self, real: Tensor, fake: Tensor, told: Tensor | None, due: bool) -> tuple[Tensor, Tensor]:
        """Logits on real and generated samples, which hang on the samples where a penalty is due.

        In one forward pass, unless batch norm would mix the two; nor where penalties differentiate each half alone.
        """
        if self.joint and not due:
            labels = None if told is None else torch.cat([told, told])
            logits: Tensor = self.discriminator(torch.cat([real, fake]), labels)
            on_real, on_fake = logits.split(len(real))
            return on_real, on_fake
        if due:
            real.requires_grad_(), fake.requires_grad_()
        return self.discriminator(real, told), self.discriminator(fake, told)

    def _shown(self, x: Tensor) -> Tensor:
        """What the discriminator sees of samples; a tensor of its own where it is cut off from the graph."""
        seen = x if self.augment is None or not self.training else self.augment(x)
        return seen if seen.requires_grad else seen.detach()

    def _keep(self, made: Tensor, step: int) -> None:
        """Samples of this step for the discriminator's turn, micro-batch by micro-batch."""
        if not self.training:
            return
        if self._made[0] != step:
            self._made = (step, deque())
        self._made[1].append(made)

    def _reuse(self, count: int, step: int) -> Tensor | None:
        """What the generator made of the same micro-batch earlier in this step, if it had its turn."""
        kept_at, kept = self._made
        if not self.training or kept_at != step or not kept or len(kept[0]) != count:
            return None
        return kept.popleft()


def _latents(x: Tensor, size: int) -> Tensor:
    return torch.randn(len(x), size, device=x.device)  # [B, D]


def _as_it_is() -> AbstractContextManager[None]:
    return nullcontext()


def _added(
    total: Tensor,
    terms: dict[str, Tensor],
    regularizers: Sequence[Regularizer],
    network: nn.Module,
    contest: Contest,
    progress: Progress,
) -> Tensor:
    """The total with the penalties, which are entered among the terms."""
    for regularizer in regularizers:
        penalties = regularizer(network, contest, progress)
        terms.update(penalties)
        total = total + sum(penalties.values())
    return total
