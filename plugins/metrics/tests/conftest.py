"""Evaluations of made-up models: what they draw, rebuild, encode and believe is given by the test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from gen.component import component
from gen.data import Split
from gen.evaluate import Evaluation, Source
from gen.interfaces import Extractor, Model, Sampler
from gen.processes import make_accelerator
from gen.rows import TensorRows
from gen.types import CondSpec, DataSpec, Domain, Progress


@component
class Flat(Extractor):
    """The samples themselves, through a layer that does nothing."""

    def build(self) -> None:
        self.scale = torch.nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) * self.scale


@component
class Made(Model):
    """A model whose abilities the test sets as attributes."""

    def phases(self) -> list[Any]:
        return []


@component
class Replay(Sampler):
    """Gives out the tensor `model.made`, from its beginning at every draw of the first chunk."""

    def sample(
        self, model: Any, n: int, *, rng: Any, cond: Any = None, given: Any = None, observe: Any = None
    ) -> Tensor:
        start = model.drawn
        model.drawn += n
        return model.made[start : start + n]


@pytest.fixture(scope="session")
def flat() -> Any:
    """The class of an extractor that gives the samples themselves."""
    return Flat


@pytest.fixture
def evaluation() -> Callable[..., Evaluation]:
    """An evaluation of `made` [M, *shape] (or of the abilities given by keyword) against `real` [N, *shape]."""

    def make(
        real: Tensor,
        made: Tensor | None = None,
        *,
        train: Tensor | None = None,
        labels: Tensor | None = None,
        train_labels: Tensor | None = None,
        levels: int | None = None,
        batch: int = 64,
        **abilities: Any,
    ) -> Evaluation:
        shape = tuple(real.shape[1:])
        modality: Any = "image" if len(shape) == 3 else "vector"
        cond = CondSpec("class", int(labels.max()) + 1) if labels is not None else None
        spec = DataSpec.single(Domain(shape, modality, levels=levels), cond)
        model = Made(data=DataSpec.single(Domain(shape, modality)))
        for name, ability in abilities.items():
            setattr(model, name, ability)
        model.made, model.drawn = made, 0
        source = None if made is None else Source("replay", Replay(), model, "raw")
        return Evaluation(
            model=model.eval(),
            split=Split(TensorRows(spec, real, labels), (), spec),
            split_name="test",
            seed=7,
            batch=batch,
            count=0 if made is None else len(made),
            accelerator=make_accelerator("cpu", "fp32"),
            progress=Progress(1, 2),
            source=source,
            train=None if train is None else Split(TensorRows(spec, train, train_labels), (), spec, training=True),
        )

    return make
