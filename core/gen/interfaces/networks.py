"""The networks: tensor to tensor, so that one encoder serves an autoencoder, a VAE, an AAE and a VQ model.

Any network can be wrapped; the distribution parts give the tensors their meaning.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from torch import Tensor

from gen.component import interface, wired
from gen.interfaces.part import Network, Part
from gen.types import Shape

__all__ = ["Autoregressor", "Decoder", "Denoiser", "Discriminator", "Encoder", "Extractor", "Generator"]


@interface
class Encoder(Network):
    """x [B, *in] → features [B, *out] that parameterise a posterior or are a code."""

    kind = "encoder"

    @abstractmethod
    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor: ...


@interface
class Decoder(Network):
    """z [B, *in] → parameters [B, *out] of p(x given z)."""

    kind = "decoder"

    @abstractmethod
    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor: ...


@interface
class Generator(Network):
    """z or a source image [B, *in] → a sample in data space [B, *out]."""

    kind = "generator"

    @abstractmethod
    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor: ...


@interface
class Discriminator(Network):
    """x, z or the tuple (x, z) → raw logits [B], or patch logits [B, 1, h, w]; never a probability."""

    kind = "discriminator"

    @abstractmethod
    def forward(self, x: Any, cond: Tensor | None = None) -> Tensor: ...


@interface
class Denoiser(Network):
    """x_noisy [B, *in], c_noise [B] → raw network output [B, *out]; its parameterization gives it meaning."""

    kind = "denoiser"

    @abstractmethod
    def forward(self, x_noisy: Tensor, c_noise: Tensor, cond: Tensor | None = None) -> Tensor: ...


@interface
class Autoregressor(Network):
    """x [B, *in] → logits [B, *out] of every factor p(x_i given x_<i); `start` and `step` serve cached sampling."""

    kind = "autoregressor"

    @abstractmethod
    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor: ...

    @abstractmethod
    def start(self, batch: int, cond: Tensor | None = None) -> Any:
        """An empty cache for `batch` samples."""

    @abstractmethod
    def step(self, cache: Any, position: int, previous: Tensor | None) -> Tensor:
        """The logits of the factor at `position`, given the value at the position before it; advances the cache."""


@interface
class Extractor(Part):
    """x [B, *in] → features [B, D] in which distances between sets of samples are measured."""

    kind = "extractor"
    in_shape: Shape = wired()

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor: ...
