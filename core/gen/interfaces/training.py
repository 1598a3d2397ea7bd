"""What a recipe chooses for the training loop: optimizers, learning-rate schedules, trackers, metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from gen.component import interface, option, slot

if TYPE_CHECKING:
    from gen.evaluate import Evaluation, Measured

__all__ = ["LRSchedule", "Metric", "OptimizerSpec", "Tracker"]


@interface
class LRSchedule(ABC):
    """A learning-rate factor as a function of the step, after a linear warm-up over `warmup` steps."""

    kind: ClassVar[str] = "lr-schedule"
    warmup: int = option(0, min=0, doc="steps of linear growth from 1/warmup to 1")

    @abstractmethod
    def factor(self, progress: float) -> float:
        """The factor at `progress` in [0, 1], the share of the steps after the warm-up that are done."""


@interface
class OptimizerSpec(ABC):
    """Makes a torch optimizer over parameter groups."""

    kind: ClassVar[str] = "optimizer"
    lr: float = option(1e-3, above=0, max=1e3, doc="learning rate")
    weight_decay: float = option(0.0, min=0, max=1e3, doc="decay of weights (norms and biases are spared)")
    schedule: LRSchedule = slot(default="constant", doc="of the learning rate")

    @abstractmethod
    def make(self, groups: list[dict[str, Any]], *, device: torch.device) -> torch.optim.Optimizer:
        """The optimizer; `groups` carry their own lr and weight_decay."""


@interface
class Tracker(ABC):
    """A place besides the run folder that shows figures, through accelerate's trackers."""

    kind: ClassVar[str] = "tracker"

    @abstractmethod
    def tracker(self, run: Path, name: str) -> Any:
        """The name or the object that `Accelerator(log_with=…)` takes."""


@interface
class Metric(ABC):
    """Evaluation only. `needs` names the capabilities it calls; `better` is "lower" or "higher".

    `draws` says that it looks at generated samples, so that a recipe without a sampler is refused before training;
    `of_losses` that it looks at the losses of the phases, so that a model without phases is.

    Slots with shapes (extractors) are wired by `wire(given)`, where `given.in_shape` is the shape of a sample.
    """

    kind: ClassVar[str] = "metric"
    needs: ClassVar[tuple[str, ...]] = ()
    better: ClassVar[str] = "lower"
    draws: ClassVar[bool] = False
    of_losses: ClassVar[bool] = False

    @abstractmethod
    def measure(self, evaluation: Evaluation) -> Measured:
        """One value with its card. `evaluation` gives the model, the batches of the split, samples and reductions."""
