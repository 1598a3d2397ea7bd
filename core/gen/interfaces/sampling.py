"""What draws from a trained model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from gen.component import interface, option
from gen.types import Batch, Given, Shape

__all__ = ["Sampler"]


@interface
class Sampler(ABC):
    """Draws from a trained model. `needs` names the capabilities it calls; `given` what it starts from besides noise.

    A sampler may be fitted first (`fit`); what it learned is `state`, arrays kept with the run.
    """

    kind: ClassVar[str] = "sampler"
    needs: ClassVar[tuple[str, ...]] = ()
    given: ClassVar[tuple[str, ...]] = ()
    count: int = option(64, min=1, max=1_000_000, doc="samples to draw")
    weights: str = option("ema", choices=("ema", "raw"), doc="averaged weights where the run keeps them, or raw ones")
    precision: str = option(
        "fp32",
        choices=("fp32", "bf16", "fp16", "auto"),
        doc="of the networks while drawing; auto: bf16 where the device has instructions for it, else fp32",
    )
    channels_last: bool = option(False, doc="memory order of images while drawing")

    def check(self, model: Any) -> None:
        """Refuses a model that these options cannot draw from, by a `GenError`: asked before a training begins."""

    @abstractmethod
    def sample(
        self,
        model: Any,
        n: int,
        *,
        rng: torch.Generator,
        cond: Tensor | None = None,
        given: Given | None = None,
        observe: Callable[[int, int, Tensor], None] | None = None,
    ) -> Tensor:
        """n samples [n, *shape] in the range of the data; `observe(step, total, x)` feeds progress and films."""

    def fit(self, model: Any, batches: Iterable[Batch]) -> None:
        """Fits what the sampler learns from data before it can draw; most have nothing to fit."""

    def state(self) -> dict[str, Tensor]:
        """What `fit` learned."""
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """The inverse of `state`."""

    def given_shapes(self, shape: Shape) -> tuple[Shape, ...]:
        """The shapes that given samples may have, for data of `shape`: the data's own; a task may take smaller ones."""
        return (shape,)

    def rows(self, model: Any, x: Tensor, given: Given | None) -> list[Tensor]:
        """What a picture shows of samples x [n, *shape], from top to bottom: what they were made from, and they."""
        return [x] if given is None or given.x is None else [given.x, x]

    def columns(self, n: int) -> int | None:
        """How many samples make a row of the picture, where the sampler's order has a meaning."""
        return None
