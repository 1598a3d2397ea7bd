"""The family that trains a classifier, so that its features can measure other families.

min  E -log p(class | x)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.nn.functional import cross_entropy

from gen.component import component, slot
from gen.errors import DataError
from gen.interfaces import Extractor, Model, Phase
from gen.types import Batch, DataSpec, Losses, Progress, Shapes

__all__ = ["ClassifierModel"]


@component
class ClassifierModel(Model):
    """A classifier, trained by cross-entropy in nats per sample; its part `body` serves metrics as an extractor.

    The term `accuracy` is the share of samples whose best score is that of their class.
    """

    phase_names = ("classifier",)
    body: Extractor = slot(default="metrics/classifier", doc="x to features, with scores of the classes")

    @classmethod
    def wire(cls, data: DataSpec, **_: Any) -> Mapping[str, Shapes]:
        if data.cond is None or data.cond.kind != "class":
            raise DataError("a classifier needs data with classes; these have none")
        return {"body": Shapes(data.shape, (), data.cond)}

    def build(self) -> None:
        if not hasattr(self.body, "scores"):
            raise DataError(f"{type(self.body).__name__} gives no scores of classes: use metrics/classifier")

    def phases(self) -> Sequence[Phase]:
        return [Phase("classifier", train=[self.body], loss=self.loss)]

    def loss(self, batch: Batch, progress: Progress) -> Losses:
        """The cross-entropy [], in nats per sample."""
        scores = self.body.scores(self.body(batch.x))  # [B, K]
        accuracy = (scores.argmax(1) == batch.cond).float().mean()
        return Losses(cross_entropy(scores.float(), batch.cond), {"accuracy": accuracy})

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """The features of the last hidden layer, [B, D]; the label is not looked at."""
        return self.body(x)
