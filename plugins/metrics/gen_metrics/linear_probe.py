"""What a code says of the classes: logistic regression on frozen codes (Alain and Bengio 2016, arXiv:1610.01644).

Beside it the same regression on raw samples and on their principal components, as many as the code has numbers: a
code is worth something where it beats those. The few-label curve asks the same with 10, 100, 1,000 labels.
"""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from gen.component import component, option
from gen.errors import CommandError
from gen.evaluate import Evaluation, Measured
from gen.interfaces import Metric
from gen.seeds import generator
from gen.types import Batch

__all__ = ["LinearProbe"]


@component
class LinearProbe(Metric):
    """Accuracy on the split of logistic regression on codes of the training split; parts: pixels, PCA, few labels.

    Every input is standardised by the training samples. Part `code-100` is the accuracy with 100 labels, a mean over
    `repeats` choices of them, as many of each class as can be.
    """

    needs = ("encode",)
    better = "higher"
    example: ClassVar[dict[str, object]] = {"labels": (10,), "repeats": 1}
    samples: int = option(5000, min=10, max=1_000_000, doc="training samples used, the first ones")
    labels: tuple[int, ...] = option((10, 100, 1000), min=1, doc="sizes of the few-label curve")
    repeats: int = option(3, min=1, max=100, doc="choices of labels for every point of the curve")
    inverse_penalty: float = option(1.0, above=0, max=1e6, doc="C: the larger, the weaker the penalty on weights")

    def measure(self, evaluation: Evaluation) -> Measured:
        cond = evaluation.split.spec.cond
        if cond is None or cond.kind != "class":
            raise CommandError("metrics/linear-probe needs data with classes; these have none")
        train = self._views(evaluation, "train", self.samples)
        test = self._views(evaluation, "real", None)
        labels, truth = train.pop("labels"), test.pop("labels")
        size = train["code"].shape[1]
        train["pca"], test["pca"] = _principal(train["pixels"], test["pixels"], size)
        parts = {name: self._accuracy(train[name], labels, test[name], truth) for name in train}
        for count in (count for count in self.labels if count < len(labels)):
            chosen = [_choose(labels, count, evaluation.seed, number) for number in range(self.repeats)]
            for name in train:
                found = [self._accuracy(train[name][one], labels[one], test[name], truth) for one in chosen]
                parts[f"{name}-{count}"] = float(np.mean(found))
        return Measured(parts["code"], "accuracy", parts, {"train": len(labels), "code_size": size})

    def _views(self, evaluation: Evaluation, of: str, n: int | None) -> dict[str, Any]:
        """Codes [N, D], samples [N, P] and labels [N] of a set."""
        model: Any = evaluation.model

        def view(batch: Batch) -> Tensor:
            code = model.encode(batch.x, batch.cond).flatten(1).float()
            return torch.cat([code, batch.x.flatten(1).float(), batch.cond[:, None].float()], 1)  # type: ignore[index]

        rows = evaluation.rows(view, of, n).numpy()  # [N, D + P + 1]
        pixels = int(np.prod(evaluation.domain.shape))
        return {"code": rows[:, : -pixels - 1], "pixels": rows[:, -pixels - 1 : -1], "labels": rows[:, -1].astype(int)}

    def _accuracy(self, x: Any, labels: Any, test: Any, truth: Any) -> float:
        """The share of test samples that a regression on x [n, P] gets right."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        if len(set(labels)) < 2:
            return float(np.mean(truth == labels[0]))
        model = make_pipeline(StandardScaler(), LogisticRegression(C=self.inverse_penalty, max_iter=300))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # 300 steps are the protocol
            model.fit(x, labels)
        return float(model.score(test, truth))


def _principal(train: Any, test: Any, size: int) -> tuple[Any, Any]:
    """The first principal components of both, as many as a code has numbers (or as there can be)."""
    from sklearn.decomposition import PCA

    pca = PCA(n_components=min(size, *train.shape), svd_solver="full").fit(train)
    return pca.transform(train), pca.transform(test)


def _choose(labels: Any, count: int, seed: int, number: int) -> Any:
    """`count` numbers of samples, class by class in turn, in a random order within a class."""
    order = torch.randperm(len(labels), generator=generator(seed, "few labels", count, number)).numpy()
    turn = np.empty(len(labels), dtype=int)  # the how-manieth of its class a sample is, in that order
    for label in np.unique(labels):
        mine = order[labels[order] == label]
        turn[mine] = np.arange(len(mine))
    return order[np.argsort(turn[order], kind="stable")][:count]
