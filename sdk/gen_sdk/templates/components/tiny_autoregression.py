"""A tiny autoregressive model that the component of this plugin plays a part in: enough to see it train.

    log p(x) = sum_i log p(x_i given x_<i),   x_i black or white (-1 or 1)

One logit for each dimension: that of white. Shapes: B batch, N dimensions of a sample.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

from gen.component import component, slot
from gen.errors import ShapeError
from gen.interfaces import Autoregressor, Model, Phase, Sampler
from gen.types import Batch, DataSpec, Given, Losses, Progress, Shapes

__all__ = ["TinyAncestral", "TinyAutoregression"]


@component
class TinyAutoregression(Model):
    """The exact likelihood of black and white data, one dimension after the other, in nats per sample."""

    phase_names = ("model",)
    autoregressor: Autoregressor = slot(doc="x to the logit of white of every dimension")

    @classmethod
    def wire(cls, data: DataSpec, **_: Any) -> Mapping[str, Shapes]:
        """A size is written once, here: what goes into each part, and what must come out of it."""
        if data.domain.levels != 2:
            raise ShapeError("this model takes black and white data: add the transform data/binarize")
        return {"autoregressor": Shapes(data.shape, data.shape)}

    def phases(self) -> Sequence[Phase]:
        """One player: the parts it trains, and the loss it minimises."""
        return [Phase("model", train=[self.autoregressor], loss=self.loss)]

    def loss(self, batch: Batch, progress: Progress) -> Losses:
        return Losses(-self.log_prob(batch.x).mean(), {})

    def log_prob(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """log p(x) [B] in nats, exact. A method with this name has this meaning in every family."""
        logits = self.autoregressor(x).float()  # [B, *shape]
        return -softplus(-x * logits).flatten(1).sum(1)  # log sigmoid(logit) where x = 1, of its negative where -1

    @torch.no_grad()
    def complete(
        self, x: Tensor, mask: Tensor, cond: Tensor | None = None, rng: torch.Generator | None = None
    ) -> Tensor:
        """x where the mask is 1; elsewhere draws, one dimension after the other, each given those before it."""
        known, values = (t.movedim(1, -1).flatten(1) for t in (mask.expand_as(x), x))  # [B, N], channels inside a pixel
        uniform = torch.rand(values.shape, generator=rng, device=x.device if rng is None else rng.device).to(x.device)
        cache = self.autoregressor.start(len(x))
        drawn: list[Tensor] = []
        for position in range(values.shape[1]):
            logit = self.autoregressor.step(cache, position, drawn[-1] if drawn else None)[:, 0]  # [B]
            new = torch.where(uniform[:, position] < logit.sigmoid(), 1.0, -1.0)
            drawn.append(torch.where(known[:, position] > 0, values[:, position], new))
        return torch.stack(drawn, 1).view(len(x), *x.shape[2:], x.shape[1]).movedim(-1, 1)


@component
class TinyAncestral(Sampler):
    """New samples: what the model completes where nothing is known."""

    needs = ("complete",)  # what it asks of a model; a recipe with a model that lacks it is refused before training

    @torch.no_grad()
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
        nothing = torch.zeros(n, *model.data.shape, device=rng.device)  # [n, *shape]
        x: Tensor = model.complete(nothing, nothing, cond, rng)
        return x
