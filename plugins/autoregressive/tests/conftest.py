"""Small networks and models to put the theorems to."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
import torch
from torch import Tensor

from gen.types import CondSpec, DataSpec, Domain, Shape
from gen_autoregressive.image import AutoregressiveImage
from gen_autoregressive.likelihoods.bernoulli import Bernoulli
from gen_autoregressive.likelihoods.categorical import Categorical
from gen_autoregressive.likelihoods.logistic_mixture import LogisticMixture

LABELS = CondSpec("class", 3)
NETWORKS = {
    "made": "made:MADE",
    "pixelcnn": "pixelcnn:PixelCNN",
    "gated-pixelcnn": "gated_pixelcnn:GatedPixelCNN",
    "pixelcnn-pp": "pixelcnn_pp:PixelCNNPP",
    "pixelrnn-row": "pixelrnn_row:PixelRNNRow",
    "pixelrnn-diagonal": "pixelrnn_diagonal:PixelRNNDiagonal",
    "transformer": "transformer:Transformer",
}
LIKELIHOODS: dict[str, Callable[[], Any]] = {
    "bernoulli": Bernoulli,
    "categorical": lambda: Categorical(levels=5),
    "logistic-mixture": lambda: LogisticMixture(levels=5, components=2),
}


def make_network(name: str, shape: Shape, per: int = 1, cond: CondSpec | None = None, **options: Any) -> Any:
    """A small network in float64, its weights moved a little, always the same."""
    module, _, qualname = NETWORKS[name].partition(":")
    cls = getattr(import_module(f"gen_autoregressive.networks.{module}"), qualname)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        out_shape = (per * shape[0], *shape[1:])
        net = cls(in_shape=shape, out_shape=out_shape, cond=cond, **{**cls.example, **options}).double().eval()
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.add_(0.2 * torch.randn_like(parameter))
    return net


def make_model(network: str, shape: Shape, likelihood: str = "bernoulli", conditional: bool = False) -> Any:
    """A model over images of this shape."""
    part = LIKELIHOODS[likelihood]()
    net = make_network(network, shape, part.size, LABELS if conditional else None)
    data = DataSpec.single(Domain(shape, levels=part.counted), LABELS)
    return AutoregressiveImage(data=data, autoregressor=net, likelihood=part, conditional=conditional).eval()


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def on_levels(batch: int, shape: Shape, levels: int, seed: int = 0) -> Tensor:
    """Images on their levels, float64."""
    index = torch.randint(0, levels, (batch, *shape), generator=rng(seed))
    return index.double() * (2 / (levels - 1)) - 1


@pytest.fixture(params=list(NETWORKS))
def network(request: pytest.FixtureRequest) -> str:
    """The name of each network in turn."""
    return request.param


@pytest.fixture(params=list(LIKELIHOODS))
def likelihood(request: pytest.FixtureRequest) -> str:
    """The name of each pixel likelihood in turn."""
    return request.param


@pytest.fixture
def build_network() -> Callable[..., Any]:
    return make_network


@pytest.fixture
def build_model() -> Callable[..., Any]:
    return make_model


@pytest.fixture
def draw_images() -> Callable[..., Tensor]:
    return on_levels


@pytest.fixture
def labels() -> CondSpec:
    return LABELS


@pytest.fixture
def build_likelihood() -> Callable[[str], Any]:
    return lambda name: LIKELIHOODS[name]()
