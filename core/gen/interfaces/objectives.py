"""What losses are made of: pure functions of tensors, which never call backward or step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gen.component import interface
from gen.types import Progress

__all__ = ["AdversarialLoss", "Corruption", "Distance", "Regularizer", "Weighting"]


@interface
class AdversarialLoss(ABC):
    """Both sides of an adversarial game as pure functions of logits; they never call backward or step.

    `paired` says that the generator's side needs the logits on real samples too (relativistic losses).
    """

    kind: ClassVar[str] = "adversarial-loss"
    paired: ClassVar[bool] = False

    @abstractmethod
    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """The scalar a discriminator minimises, from its logits on real and generated samples."""

    @abstractmethod
    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """The scalar a generator minimises; `real` only matters to `paired` losses."""


@interface
class Distance(ABC):
    """How far y lies from x: [B, *shape] twice → [B], summed over the dimensions of a sample."""

    kind: ClassVar[str] = "distance"

    @abstractmethod
    def __call__(self, y: Tensor, x: Tensor) -> Tensor: ...

    def mean(self, y: Tensor) -> Tensor:
        """What y shows as data: the identity, unless y are logits."""
        return y


@interface
class Corruption(ABC):
    """What spoils x before a model sees it: [B, *shape] → [B, *shape], drawn from the global generator or `rng`."""

    kind: ClassVar[str] = "corruption"

    @abstractmethod
    def __call__(self, x: Tensor, rng: torch.Generator | None = None) -> Tensor: ...


@interface
class Weighting(ABC):
    """A loss weight as a function of the noise level: nsr = sigma/alpha [B] → [B]."""

    kind: ClassVar[str] = "weighting"

    @abstractmethod
    def __call__(self, nsr: Tensor) -> Tensor: ...


@interface
class Regularizer(ABC):
    """A penalty on a network: (network, batch, progress) → named scalars to add to a loss, in the loss's unit.

    The batch is a `Batch`, or in an adversarial game a `Contest`. The names are the same at every step: a lazy penalty
    is 0 when it is not due. `serves` names the networks it is meant for: "encoder" (network and batch are the encoder
    and what it was shown), "discriminator" and "generator" (the discriminator and the contest, on either side).
    """

    kind: ClassVar[str] = "regularizer"
    serves: ClassVar[tuple[str, ...]] = ("encoder", "discriminator", "generator")

    @abstractmethod
    def __call__(self, network: nn.Module, batch: Any, progress: Progress) -> dict[str, Tensor]: ...

    def due(self, progress: Progress) -> bool:
        """Whether it asks for anything at this step; its batch then lets gradients reach the samples."""
        return True

    def constrain(self, network: nn.Module) -> None:
        """Puts weights back where they must lie; the model calls it after every update of the network."""
