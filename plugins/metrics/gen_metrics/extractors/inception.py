"""The features that published Fréchet distances of natural images are taken in: InceptionV3's last pooling layer.

Szegedy et al. 2015, arXiv:1512.00567, with the weights of 2015-12-05 that Heusel et al. 2017, arXiv:1706.08500 used.
Network and resize to 299x299 are those of torch-fidelity (extra `inception` of gen-metrics), to TensorFlow's rounding.

torch-fidelity would download a pickle and run what it holds. Here the weights are a safetensors file on disk, handed to
torch-fidelity in place of its download. Shapes: B batch, C channels, D = 2048 features.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gen.component import component
from gen.errors import DataError, ShapeError
from gen.interfaces import Extractor

__all__ = ["Inception"]

STEM = "weights-inception-2015-12-05-6726825d"
URL = f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{STEM}.pth"
FETCH = "load_state_dict_from_url"
"""The function through which torch-fidelity gets weights where it is given no file."""


@component
class Inception(Extractor):
    """InceptionV3 as torch-fidelity has it: images in [-1, 1], of 1 or 3 channels and any side, to 2048 features.

    It needs torch-fidelity and its weights on disk, as safetensors in PyTorch's cache (TORCH_HOME moves it); without
    them it says how to get both. Values are rounded to 256 levels, and grey is shown as equal red, green and blue.
    """

    traits: ClassVar[dict[str, object]] = {"files": "torch-fidelity, and InceptionV3's weights in PyTorch's cache"}

    def build(self) -> None:
        if len(self.in_shape) != 3 or self.in_shape[0] not in (1, 3):
            raise ShapeError(f"metrics/inception takes images of 1 or 3 channels; these samples are {self.in_shape}")
        library = _library()
        path = Path(torch.hub.get_dir(), "checkpoints", f"{STEM}.safetensors")
        self.network = _network(library, _weights(path), path).requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """Features [B, 2048]; those of a sample with a value that is no number are no numbers either.

        Raises:
            DataError: a value lies outside [-1, 1].
        """
        if (x.abs() > 1 + 1e-4).any():
            raise DataError(f"metrics/inception takes values in [-1, 1]; these reach {float(x.abs().max()):g}")
        levels = ((x.nan_to_num() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        (features,) = self.network(levels.expand(-1, 3, -1, -1))  # [B, 2048]
        known = x.isfinite().flatten(1).all(1, keepdim=True)  # [B, 1]
        return torch.where(known, features, torch.nan)


def _library() -> Any:
    """torch-fidelity's module of the network.

    Raises:
        DataError: it is not installed, does not import, or gets its weights in another way than is known here.
    """
    try:
        import torch_fidelity.feature_extractor_inceptionv3 as library

        for name in ("FeatureExtractorInceptionV3", FETCH):
            getattr(library, name)
    except ModuleNotFoundError as error:
        raise DataError(
            f"metrics/inception needs torch-fidelity, and {(error.name or '').partition('.')[0]} is not installed: "
            'pip install "gen-metrics[inception]"'
        ) from error
    except (ImportError, AttributeError, RuntimeError, OSError) as error:
        raise DataError(
            f"metrics/inception cannot use the torch-fidelity that is installed ({type(error).__name__}: {error}): "
            "install 0.4 and a torchvision made for this PyTorch"
        ) from error
    return library


def _weights(path: Path) -> dict[str, Tensor]:
    """The tensors of the file.

    Raises:
        DataError: it is not there, or is no safetensors file.
    """
    if not path.is_file():
        raise DataError(
            f"metrics/inception needs InceptionV3's weights as {path}\n"
            "nothing is downloaded here and no pickle is read; get them once, where there is a network:\n"
            f"python -c \"import torch, safetensors.torch as s; w = torch.hub.load_state_dict_from_url('{URL}', "
            f"weights_only=True); s.save_file({{k: t.contiguous() for k, t in w.items()}}, '{path}')\""
        )
    try:
        with safe_open(path, framework="pt") as handle:
            return {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path} is no whole safetensors file ({error}): delete it, and make it anew") from error


def _network(library: Any, weights: dict[str, Tensor], path: Path) -> torch.nn.Module:
    """torch-fidelity's network with these weights, its download answered by them.

    Raises:
        DataError: the weights are not those of this network.
    """
    fetch = getattr(library, FETCH)
    setattr(library, FETCH, lambda *_, **__: weights)
    try:
        network: torch.nn.Module = library.FeatureExtractorInceptionV3("inception", ["2048"])
    except RuntimeError as error:
        said = str(error).partition("\n")[2].strip()[:200]
        raise DataError(f"{path} does not hold the weights of torch-fidelity's InceptionV3: {said}") from error
    finally:
        setattr(library, FETCH, fetch)
    return network
