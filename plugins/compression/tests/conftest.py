"""Models of random weights, in memory and as folders, from components by name: no plugin is imported here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gen.building import Builder
from gen.loading import save_model
from gen.plugins import catalogue
from gen.types import CondSpec, DataSpec, Domain

NETWORKS = {
    "made": {"hidden": [12]},
    "pixelcnn": {"width": 4, "depth": 2, "size": 3},
    "gated-pixelcnn": {"width": 4, "depth": 2, "size": 3},
    "pixelcnn-pp": {"width": 4},
    "pixelrnn-row": {"width": 4},
    "pixelrnn-diagonal": {"width": 4},
    "transformer": {"width": 8, "depth": 1, "heads": 1, "hidden": 4},
}
LIKELIHOODS = {
    "bernoulli": (2, {}),
    "categorical": (5, {"levels": 5}),
    "logistic-mixture": (5, {"levels": 5, "components": 2}),
}
DIGITS = Domain((1, 8, 8), levels=17)
LABELS = CondSpec("class", 3)


def image_config(network: str, likelihood: str, conditional: bool = False, **likelihood_options: Any) -> dict[str, Any]:
    if catalogue().plugin("autoregressive") is None:
        pytest.skip("gen-autoregressive is not installed")
    spec = catalogue().find(f"autoregressive/{network}")
    assert spec is not None
    names = {option.name for option in spec.options}
    options = {name: value for name, value in NETWORKS[network].items() if name in names}
    return {
        "use": "autoregressive/image",
        "autoregressor": {"use": f"autoregressive/{network}", **options},
        "likelihood": {"use": f"autoregressive/{likelihood}", **likelihood_options},
        "conditional": conditional,
    }


def made(config: dict[str, Any], data: DataSpec) -> Any:
    """A model in float32, its weights moved a little, always the same."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        model = Builder().make(config, path="model", data=data)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def saved(folder: Path, config: dict[str, Any], data: DataSpec, section: dict[str, Any]) -> Path:
    """A model folder, raw weights and an average that differs from them."""
    model = made(config, data)
    raw = model.state_dict()
    ema = {name: tensor + 0.01 if tensor.is_floating_point() else tensor for name, tensor in raw.items()}
    more = {"model": config, "sample": {}, "data_section": section, "plugins": {}}
    save_model(folder, step=1, config=more, data=data, weights={"raw": raw, "ema": ema}, samplers={})
    return folder


@pytest.fixture
def build_image_model() -> Callable[..., tuple[Any, Tensor]]:
    """(network, likelihood, shape, conditional) → a model, and five images on its levels."""

    def build(network: str, likelihood: str, shape: tuple[int, ...] = (2, 3, 4), conditional: bool = False) -> Any:
        levels, options = LIKELIHOODS[likelihood]
        data = DataSpec.single(Domain(shape, levels=levels), LABELS)
        index = torch.randint(levels, (5, *shape), generator=torch.Generator().manual_seed(1))
        model = made(image_config(network, likelihood, conditional, **options), data)
        return model, index.float() * (2 / (levels - 1)) - 1

    return build


@pytest.fixture(scope="session")
def digits_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the bundled digits."""
    config = image_config("made", "categorical", levels=17)
    return saved(tmp_path_factory.mktemp("digits") / "model", config, _digits(), {"use": "data/digits"})


@pytest.fixture(scope="session")
def labelled_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that is told the labels."""
    config = image_config("made", "categorical", conditional=True, levels=17)
    return saved(tmp_path_factory.mktemp("labelled") / "model", config, _digits(), {"use": "data/digits"})


@pytest.fixture(scope="session")
def series_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """(data options) → an autoregression of order 2 with a deviation of 20, of a column `value`."""
    if catalogue().plugin("series") is None:
        pytest.skip("gen-series is not installed")

    def build(**options: Any) -> Path:
        folder = tmp_path_factory.mktemp("series") / "model"
        config = {"use": "series/ar", "order": 2}
        data = DataSpec.single(Domain((1, 60), "series"))
        model = Builder().make(config, path="model", data=data)
        with torch.no_grad():
            model.weights.copy_(torch.tensor([0.9, -0.3]))
            model.offset.fill_(40.0)
            model.log_variance.fill_(2 * torch.tensor(20.0, dtype=torch.float64).log())
        section = {"use": "series/csv", "file": "x.csv", "column": "value", **options}
        more = {"model": config, "sample": {}, "data_section": section, "plugins": {}}
        save_model(folder, step=1, config=more, data=data, weights={"raw": model.state_dict()}, samplers={})
        return folder

    return build


def _digits() -> DataSpec:
    return DataSpec.single(DIGITS, CondSpec("class", 10))
