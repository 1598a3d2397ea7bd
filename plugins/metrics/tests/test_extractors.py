"""Extractors and the classifier that is trained to be one."""

from __future__ import annotations

import math

import pytest
import torch

from gen import evaluate
from gen.errors import DataError, ShapeError
from gen.types import Batch, CondSpec, DataSpec, Domain, Progress
from gen_metrics.classifier_model import ClassifierModel
from gen_metrics.extractors.classifier import Classifier
from gen_metrics.extractors.random_features import RandomFeatures

DATA = DataSpec.single(Domain((1, 8, 8)), CondSpec("class", 3))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28), (1, 1, 1), (2, 5, 7), (6,), (20, 3)], ids=str)
@pytest.mark.parametrize("extractor", [RandomFeatures, Classifier], ids=lambda cls: cls.__name__)
def test_features_have_their_size_for_any_shape(extractor, shape) -> None:
    features = extractor(in_shape=shape, width=4, size=10).eval()(torch.rand(5, *shape))

    assert features.shape == (5, 10)
    assert features.std() > 0


def test_random_features_are_the_same_wherever_they_are_made() -> None:
    torch.manual_seed(1)
    first = RandomFeatures(in_shape=(1, 8, 8), width=4, size=6)
    torch.manual_seed(2)
    second, other = RandomFeatures(in_shape=(1, 8, 8), width=4, size=6), None
    other = RandomFeatures(in_shape=(1, 8, 8), width=4, size=6, weight_seed=1)

    assert evaluate.content_hash(first) == evaluate.content_hash(second) != evaluate.content_hash(other)
    assert not any(p.requires_grad for p in first.parameters())


def test_a_classifier_without_classes_gives_features_only() -> None:
    body = Classifier(in_shape=(1, 8, 8), width=4, size=6)

    with pytest.raises(ShapeError, match="it has features only"):
        body.scores(body(torch.rand(2, 1, 8, 8)))


def test_the_loss_is_cross_entropy_in_nats() -> None:
    body = Classifier(in_shape=(1, 8, 8), width=4, size=6, cond=DATA.cond).eval()
    model = ClassifierModel(data=DATA, body=body)
    torch.nn.init.zeros_(body.head[1].weight)
    body.head[1].bias.data = torch.tensor([1.0, 0.0, 0.0])
    found = model.loss(Batch(torch.rand(4, 1, 8, 8), torch.tensor([0, 0, 0, 1]), torch.arange(4)), Progress(0, 1))

    assert float(found.total.detach()) == pytest.approx(math.log(math.e + 2) - 0.75, rel=1e-5)
    assert float(found.terms["accuracy"]) == 0.75


def test_the_code_of_a_classifier_is_its_last_hidden_layer() -> None:
    body = Classifier(in_shape=(1, 8, 8), width=4, size=6, cond=DATA.cond).eval()
    x = torch.rand(4, 1, 8, 8)

    assert torch.equal(ClassifierModel(data=DATA, body=body).encode(x), body(x))


def test_a_classifier_wants_classes_and_scores() -> None:
    with pytest.raises(DataError, match="needs data with classes"):
        ClassifierModel.wire(DataSpec.single(Domain((1, 8, 8))))
    with pytest.raises(DataError, match="RandomFeatures gives no scores of classes"):
        ClassifierModel(data=DATA, body=RandomFeatures(in_shape=(1, 8, 8), width=2, size=2))
