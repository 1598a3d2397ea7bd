"""torch's optimizers as components, with fused kernels where torch has them (one kernel for all parameters)."""

from __future__ import annotations

from typing import Any

import torch

from gen.component import component, option
from gen.interfaces import OptimizerSpec

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "RMSprop"]

Groups = list[dict[str, Any]]


@component
class Adam(OptimizerSpec):
    """Adaptive moments (Kingma and Ba 2015, arXiv:1412.6980)."""

    betas: tuple[float, float] = option((0.9, 0.999), min=0, below=1, doc="decay of the two moments")
    eps: float = option(1e-8, above=0, doc="added to the root of the second moment")

    def make(self, groups: Groups, *, device: torch.device) -> torch.optim.Optimizer:
        return torch.optim.Adam(groups, betas=self.betas, eps=self.eps, fused=_fused(device))


@component
class AdamW(OptimizerSpec):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv:1711.05101)."""

    betas: tuple[float, float] = option((0.9, 0.999), min=0, below=1, doc="decay of the two moments")
    eps: float = option(1e-8, above=0, doc="added to the root of the second moment")

    def make(self, groups: Groups, *, device: torch.device) -> torch.optim.Optimizer:
        return torch.optim.AdamW(groups, betas=self.betas, eps=self.eps, fused=_fused(device))


@component
class Adagrad(OptimizerSpec):
    """A rate per weight that falls with the sum of its squared gradients (Duchi, Hazan and Singer 2011)."""

    eps: float = option(1e-10, above=0, doc="added to the root of the sum")

    def make(self, groups: Groups, *, device: torch.device) -> torch.optim.Optimizer:
        return torch.optim.Adagrad(groups, eps=self.eps, fused=_fused(device))


@component
class RMSprop(OptimizerSpec):
    """A rate per weight from a moving average of its squared gradients (Tieleman and Hinton 2012)."""

    alpha: float = option(0.99, min=0, below=1, doc="decay of the average")
    momentum: float = option(0.0, min=0, below=1, doc="momentum")
    eps: float = option(1e-8, above=0, doc="added to the root of the average")

    def make(self, groups: Groups, *, device: torch.device) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(groups, alpha=self.alpha, momentum=self.momentum, eps=self.eps, foreach=True)


@component
class SGD(OptimizerSpec):
    """Stochastic gradient descent, with momentum (Sutskever et al. 2013) if asked for."""

    momentum: float = option(0.0, min=0, below=1, doc="momentum")
    nesterov: bool = option(False, doc="look-ahead momentum (needs momentum above 0)")

    def make(self, groups: Groups, *, device: torch.device) -> torch.optim.Optimizer:
        nesterov = self.nesterov and self.momentum > 0
        return torch.optim.SGD(groups, momentum=self.momentum, nesterov=nesterov, fused=_fused(device))


def _fused(device: torch.device) -> bool:
    return device.type in ("cpu", "cuda")
