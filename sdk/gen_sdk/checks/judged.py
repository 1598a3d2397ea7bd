"""An evaluation whose outcome is known in order: a model that errs by as much as it is told.

Data lie on a curved sheet of two dimensions among N, with two classes; `error` 0 makes a perfect model. Shapes: N
samples of each set.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gen.component import component, option
from gen.data import Split
from gen.evaluate import Evaluation, Source
from gen.interfaces import Model, Phase, Sampler
from gen.processes import make_accelerator
from gen.rows import TensorRows
from gen.types import Batch, CondSpec, DataSpec, Domain, Given, Losses, Progress, Shape

__all__ = ["Judged", "judged", "sheet"]

LEVELS = 256
NATS = 40.0
"""-log p(x) of a perfect model, for every sample."""


@component
class Judged(Model):
    """A model that errs by `error` in everything it can do: 0 = perfect."""

    phase_names = ("model",)
    log_prob_kind = "exact"
    error: float = option(0.0, min=0, doc="how wrong it is: 0 = perfect")

    def build(self) -> None:
        self.weight = nn.Parameter(torch.ones(3))

    def phases(self) -> Sequence[Phase]:
        return [Phase("model", train=[self], loss=self.loss)]

    def loss(self, batch: Batch, progress: Progress) -> Losses:
        """The error squared plus the mean square of x."""
        total = self.error**2 + batch.x.square().flatten(1).mean()
        return Losses(total, {"error": total})

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """The first numbers of x, drowned in noise where it errs."""
        return x.flatten(1)[:, :8] + 20 * self.error * torch.randn(len(x), 8, device=x.device)

    def reconstruct(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """x, with an error of that size of either sign by turns."""
        signs = torch.ones(x[0].numel(), device=x.device)
        signs[1::2] = -1
        return x + self.error * signs.view(x.shape[1:])

    def forecast(self, x: Tensor, steps: int) -> Tensor:
        """The last values along the last axis, for ever, with an error of that size."""
        return x[..., -1:].expand(*x.shape[:-1], steps) + self.error

    def log_prob(self, x: Tensor, cond: Tensor | None = None, draws: int = 1) -> Tensor:
        return x.new_full((len(x),), -NATS - self.error)


class Replay(Sampler):
    """Gives out what it was handed, in order."""

    made: Tensor
    start: int

    def sample(
        self,
        model: Any,
        n: int,
        *,
        rng: torch.Generator,
        cond: Tensor | None = None,
        given: Given | None = None,
        observe: Any = None,
    ) -> Tensor:
        self.start += n
        return self.made[self.start - n : self.start]


def sheet(n: int, shape: Shape, seed: int, shift: float = 0.0) -> tuple[Tensor, Tensor]:
    """n samples [n, *shape] of the sheet on 256 levels, moved by `shift` of its width, and their classes [n]."""
    rng = torch.Generator().manual_seed(seed)
    z = torch.randn(n, 2, generator=rng, dtype=torch.float64)
    pattern = torch.Generator().manual_seed(1)
    first, second = (torch.randn(math.prod(shape), generator=pattern, dtype=torch.float64) for _ in range(2))
    flat = 0.25 * (z[:, :1] * first + z[:, 1:] * second).tanh() + shift * first.sign()
    x = (flat.clamp(-1, 1) * (LEVELS - 1) / 2).round() * 2 / (LEVELS - 1)
    return x.float().reshape(n, *shape), (z[:, 0] > 0).long()


def judged(
    shape: Shape = (1, 16, 16),
    *,
    error: float = 0.0,
    made: Tensor | None = None,
    n: int = 64,
    batch: int = 32,
    order: Tensor | None = None,
) -> Evaluation:
    """An evaluation of the model against N samples of the sheet.

    Args:
        made: what it generates [n, *shape]; by default new samples of the sheet, moved by the error.
        order: a permutation of the samples that it is held against.
    """
    levels = Domain(shape, "image" if len(shape) == 3 else "vector", levels=LEVELS)
    spec = DataSpec.single(levels, CondSpec("class", 2))
    splits: Mapping[str, Split] = {
        name: Split(TensorRows(spec, *_ordered(sheet(n, shape, seed), order)), (), spec, name == "train")
        for name, seed in (("train", 2), ("test", 3))
    }
    model = Judged(data=spec, error=error)
    sampler = Replay(count=n, weights="raw", precision="fp32", channels_last=False)
    sampler.made, sampler.start = (sheet(n, shape, 4, error)[0] if made is None else made), 0
    return Evaluation(
        model=model.eval(),
        split=splits["test"],
        split_name="test",
        seed=7,
        batch=batch,
        count=len(sampler.made),
        accelerator=make_accelerator("cpu", "fp32"),
        progress=Progress(1, 2),
        source=Source("replay", sampler, model, "raw"),
        train=splits["train"],
        weights="raw",
    )


def _ordered(samples: tuple[Tensor, Tensor], order: Tensor | None) -> tuple[Tensor, Tensor]:
    x, labels = samples
    return samples if order is None else (x[order], labels[order])
