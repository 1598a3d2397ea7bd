"""The parts that give tensors their meaning: q(z|x), p(x|z), p(z). Computed in float32, outside autocast."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from gen.component import interface, wired
from gen.interfaces.part import Part
from gen.types import Shape

__all__ = ["Likelihood", "Posterior", "Prior"]


@interface
class Posterior(Part):
    """Gives an encoder's output its meaning, q(z given x): a density. Computed in float32, outside autocast.

    An encoder without a density (deterministic, or fed with noise) has no posterior: its output is the code.
    """

    kind = "posterior"

    @abstractmethod
    def param_shape(self, z_shape: Shape) -> Shape:
        """The shape an encoder must put out for codes of `z_shape`."""

    @abstractmethod
    def mean(self, params: Tensor) -> Tensor:
        """E[z|x] [B, *z_shape]: the code of x."""

    @abstractmethod
    def rsample(self, params: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """A draw z [B, *z_shape] of q(z|x) through which gradients reach the parameters."""

    @abstractmethod
    def log_prob(self, params: Tensor, z: Tensor) -> Tensor:
        """log q(z|x) [B] in nats."""

    @abstractmethod
    def kl(self, params: Tensor, prior: Prior, z: Tensor) -> Tensor:
        """KL(q(z|x) || p(z)) [B] in nats: in closed form where there is one, else log q(z|x) - log p(z) at this z."""


@interface
class Likelihood(Part):
    """Gives a decoder's output its meaning, p(x given z). Computed in float32, outside autocast."""

    kind = "likelihood"

    @abstractmethod
    def param_shape(self, x_shape: Shape) -> Shape:
        """The shape a decoder must put out for data of `x_shape`."""

    @abstractmethod
    def log_prob(self, params: Tensor, x: Tensor) -> Tensor:
        """log p(x|z) [B] in nats per sample, summed over the dimensions of x (in the range of the data)."""

    @abstractmethod
    def mean(self, params: Tensor) -> Tensor:
        """E[x|z] in the range of the data: what a reconstruction shows."""

    @abstractmethod
    def sample(self, params: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """A draw of p(x|z) in the range of the data."""


@interface
class Prior(Part):
    """p(z): something to draw codes from, and their density."""

    kind = "prior"
    shape: Shape = wired()

    @abstractmethod
    def sample(self, n: int, rng: torch.Generator | None = None) -> Tensor:
        """n codes [n, *shape]."""

    @abstractmethod
    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) [B] in nats."""
