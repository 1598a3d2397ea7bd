"""A classifier of images or vectors, whose last hidden layer makes good features.

    features = ReLU(W f(x)),  log p(class | x) = log softmax(V features)

Trained by the family `metrics/classifier-model` and taken from its run: `{run: RUN, part: body}`.
"""

from __future__ import annotations

from torch import Tensor, nn

from gen.component import component, option, wired
from gen.errors import ShapeError
from gen.interfaces import Extractor
from gen.types import CondSpec
from gen_metrics.extractors.trunk import make_trunk

__all__ = ["Classifier"]


@component
class Classifier(Extractor):
    """A small convolutional classifier: x to features, features to the scores of the classes."""

    width: int = option(32, min=1, max=1024, doc="channels of the first convolution; they double twice")
    size: int = option(128, min=1, max=8192, doc="number of features D")
    dropout: float = option(0.3, min=0, below=1, doc="share of features dropped before the scores, in training")
    cond: CondSpec | None = wired(default=None)

    def build(self) -> None:
        self.trunk = make_trunk(self.in_shape, self.width, self.size)
        if self.cond is not None and self.cond.kind == "class":
            self.head = nn.Sequential(nn.Dropout(self.dropout), nn.Linear(self.size, self.cond.size))

    def forward(self, x: Tensor) -> Tensor:
        """Features [B, D], none negative."""
        return self.trunk(x).relu()

    def scores(self, features: Tensor) -> Tensor:
        """Unnormalised log-probabilities of the classes, [B, K].

        Raises:
            ShapeError: it was built for data without classes.
        """
        if not hasattr(self, "head"):
            raise ShapeError("this classifier was built for data without classes: it has features only")
        return self.head(features)
