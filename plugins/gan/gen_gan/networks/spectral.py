"""Spectral norm: layers whose weight is divided by its largest singular value (Miyato et al. 2018, arXiv:1802.05957).

    v ← normalize(W' u),   u ← normalize(W v),   sigma = u' W v,   W / sigma

One step of the power method per forward pass in training; the vector `u` is a buffer, `v` follows from it. The weight
keeps its name, so that optimizers, averages and files see an ordinary layer.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gen.precision import no_autocast

__all__ = ["SpectralConv2d", "SpectralEmbedding", "SpectralLinear", "divided"]

START = 15
"""Steps of the power method before the first forward pass."""


class _Spectral(nn.Module):
    """What the layers share: the vector u from the start on, and the weight as it acts."""

    weight: nn.Parameter

    def reset_parameters(self) -> None:
        super().reset_parameters()  # type: ignore[misc]  # of the layer beside it
        _start(self)

    def acting(self) -> Tensor:
        """The weight, divided."""
        return divided(self.weight, self.get_buffer("u"), self.training)


class SpectralConv2d(_Spectral, nn.Conv2d):
    """A convolution whose weight, as a matrix [outputs, inputs * k * k], has the largest singular value 1."""

    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.acting(), self.bias)


class SpectralLinear(_Spectral, nn.Linear):
    """A linear layer whose weight has the largest singular value 1."""

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.acting(), self.bias)


class SpectralEmbedding(_Spectral, nn.Embedding):
    """Rows of a matrix whose largest singular value is 1."""

    def forward(self, index: Tensor) -> Tensor:
        return F.embedding(index, self.acting())


def divided(weight: Tensor, u: Tensor, training: bool) -> Tensor:
    """weight / sigma, in float32; moves `u` one step on while training. The gradient takes u and v as constants."""
    with no_autocast(weight.device):
        with torch.no_grad():
            v, after = _step(weight, u)
            if training:
                u.copy_(after)
        sigma = torch.dot(after, torch.mv(weight.flatten(1), v))
        return weight / sigma


def _step(weight: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    matrix = weight.detach().flatten(1)  # [outputs, rest]
    v = F.normalize(torch.mv(matrix.T, u), dim=0)
    return v, F.normalize(torch.mv(matrix, v), dim=0)


@torch.no_grad()
def _start(layer: _Spectral) -> None:
    u = F.normalize(torch.randn_like(layer.weight[:, :1].flatten(1)[:, 0]), dim=0)  # [outputs]
    for _ in range(0 if u.is_meta else START):  # no values there, and slow
        _, u = _step(layer.weight, u)
    layer.register_buffer("u", u)
