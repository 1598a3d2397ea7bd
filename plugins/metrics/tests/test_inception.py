"""InceptionV3 through torch-fidelity: what it is shown, where its weights come from, what is said where they lack.

A stand-in takes torch-fidelity's place: its network averages every channel and gets weights as the real one does. The
real one is tried with random weights where it is installed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from gen.errors import DataError, ShapeError
from gen_metrics.extractors.inception import STEM, Inception
from gen_metrics.sets.frechet import Frechet

NETWORK = "torch_fidelity.feature_extractor_inceptionv3"
STAND_IN = {"scale": torch.tensor([1.0, 10.0, 100.0])}


class AverageColour(nn.Module):
    """uint8 [B, 3, H, W] → the mean of every channel, scaled, [B, 3]."""

    def __init__(self, name: str, features: list[str]) -> None:
        super().__init__()
        assert features == ["2048"]
        self.scale = nn.Parameter(torch.zeros(3))
        self.load_state_dict(sys.modules[NETWORK].load_state_dict_from_url("https://"))

    def forward(self, x: Tensor) -> tuple[Tensor]:
        assert x.dtype == torch.uint8
        assert x.shape[1] == 3
        return (x.double().mean((2, 3)).float() * self.scale,)


def download(*_: Any, **__: Any) -> Any:
    raise AssertionError("a download was asked for")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Path]:
    """Puts tensors (or bytes) where the weights are looked for, beside a stand-in of torch-fidelity."""
    package, module = ModuleType("torch_fidelity"), ModuleType(NETWORK)
    module.FeatureExtractorInceptionV3, module.load_state_dict_from_url = AverageColour, download
    monkeypatch.setitem(sys.modules, "torch_fidelity", package)
    monkeypatch.setitem(sys.modules, NETWORK, module)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))

    def put(content: Any) -> Path:
        path = tmp_path / "checkpoints" / f"{STEM}.safetensors"
        path.parent.mkdir(exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            save_file(content, path)
        return path

    return put


def test_the_range_becomes_256_levels_and_grey_three_equal_channels(cache) -> None:
    cache(STAND_IN)
    x = torch.tensor([-1.0, 0.0, 1.0]).view(3, 1, 1, 1).expand(3, 1, 5, 4)
    grey, colour = Inception(in_shape=(1, 5, 4)), Inception(in_shape=(3, 5, 4))

    assert torch.equal(grey(x), torch.tensor([0.0, 128.0, 255.0])[:, None] * STAND_IN["scale"])
    assert torch.equal(colour(x.expand(3, 3, 5, 4)), grey(x))
    assert not any(p.requires_grad for p in grey.parameters())


def test_every_level_of_the_data_is_shown_as_itself(cache) -> None:
    cache(STAND_IN)
    levels = torch.arange(256.0)

    assert torch.equal(Inception(in_shape=(1, 1, 1))((levels / 127.5 - 1).view(-1, 1, 1, 1))[:, 0], levels)


def test_a_sample_that_is_no_number_has_no_features(cache) -> None:
    cache(STAND_IN)
    x = torch.zeros(2, 1, 2, 2)
    x[1, 0, 0, 0] = torch.nan
    features = Inception(in_shape=(1, 2, 2))(x)

    assert features[0].isfinite().all()
    assert features[1].isnan().all()


def test_values_outside_the_range_are_refused(cache) -> None:
    cache(STAND_IN)

    with pytest.raises(DataError, match=r"takes values in \[-1, 1\]; these reach 255"):
        Inception(in_shape=(1, 2, 2))(torch.full((1, 1, 2, 2), 255.0))


def test_a_frechet_distance_in_its_features_says_so_on_the_card(cache, evaluation) -> None:
    cache(STAND_IN)
    x = torch.rand(50, 3, 6, 6, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = Frechet(features=Inception(in_shape=(3, 6, 6))).measure(evaluation(x, x))

    assert found.value == pytest.approx(0, abs=1e-6)
    assert found.card["extractor"] == "Inception"


def test_the_download_of_the_library_is_as_it_was(cache) -> None:
    cache(STAND_IN)
    Inception(in_shape=(1, 2, 2))

    assert sys.modules[NETWORK].load_state_dict_from_url is download


@pytest.mark.parametrize("shape", [(2, 8, 8), (6,), (4, 8, 8), (8, 8)], ids=str)
def test_other_data_than_images_are_refused(shape) -> None:
    with pytest.raises(ShapeError, match="takes images of 1 or 3 channels; these samples are"):
        Inception(in_shape=shape)


def test_a_missing_library_is_named_with_the_remedy(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)

    with pytest.raises(DataError, match=r'torch_fidelity is not installed: pip install "gen-metrics\[inception\]"'):
        Inception(in_shape=(1, 8, 8))


def test_a_library_that_gets_weights_in_another_way_is_refused(cache) -> None:
    cache(STAND_IN)
    del sys.modules[NETWORK].load_state_dict_from_url

    with pytest.raises(DataError, match=r"cannot use the torch-fidelity that is installed .*: install 0\.4"):
        Inception(in_shape=(1, 8, 8))


def test_missing_weights_are_named_with_the_command_that_makes_them(cache, tmp_path) -> None:
    with pytest.raises(DataError) as refused:
        Inception(in_shape=(1, 8, 8))

    head, why, command = str(refused.value).splitlines()
    assert head == f"metrics/inception needs InceptionV3's weights as {tmp_path}/checkpoints/{STEM}.safetensors"
    assert "nothing is downloaded here and no pickle is read" in why
    assert "weights_only=True" in command
    compile(command.removeprefix('python -c "').removesuffix('"'), "command", "exec")


@pytest.mark.parametrize("content", [b"", b"\x80\x04\x95", b"\xff" * 64], ids=["empty", "a pickle", "noise"])
def test_damaged_weights_are_refused(cache, content) -> None:
    path = cache(content)

    with pytest.raises(DataError, match=f"{path} is no whole safetensors file .*: delete it, and make it anew"):
        Inception(in_shape=(1, 8, 8))


@pytest.mark.parametrize("content", [{"other": torch.ones(3)}, {"scale": torch.ones(4)}], ids=["names", "shapes"])
def test_weights_of_another_network_are_refused(cache, content) -> None:
    path = cache(content)

    with pytest.raises(DataError, match=f"{path} does not hold the weights of torch-fidelity's InceptionV3: "):
        Inception(in_shape=(1, 8, 8))


def test_the_real_network_takes_weights_of_its_layout(tmp_path, monkeypatch) -> None:
    library = pytest.importorskip(NETWORK, reason="torch-fidelity is not installed")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(library, "load_state_dict_from_url", lambda *_, **__: {}, raising=True)
    monkeypatch.setattr(nn.Module, "load_state_dict", lambda self, *_: None)
    torch.manual_seed(0)
    weights = library.FeatureExtractorInceptionV3("inception", ["2048"]).state_dict()
    monkeypatch.undo()
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(library, "load_state_dict_from_url", download)
    (tmp_path / "checkpoints").mkdir()
    kept = {name: tensor for name, tensor in weights.items() if not name.endswith("num_batches_tracked")}
    save_file(kept, tmp_path / "checkpoints" / f"{STEM}.safetensors")
    features = Inception(in_shape=(1, 28, 28)).eval()(torch.rand(2, 1, 28, 28) * 2 - 1)

    assert features.shape == (2, 2048)
    assert features.isfinite().all()
