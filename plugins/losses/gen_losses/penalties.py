"""Penalties on an encoder z = f(x), one value per batch: the mean over its samples, times a weight.

Each runs the encoder once more. Samples of a batch must not reach each other, as they do through batch norm.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from gen.component import component, option
from gen.interfaces import Regularizer
from gen.types import Progress

__all__ = ["Contractive", "Sparse"]


@component
class Contractive(Regularizer):
    """weight * |df/dx|^2, the squared Frobenius norm of the Jacobian (Rifai et al. 2011, Contractive Auto-Encoders).

    It keeps codes still where data vary little. Exact: one backward pass per dimension of the code. With `probes` it
    is estimated from as many random directions v, by E |v' df/dx|^2 (Hutchinson 1990), which costs as many passes.
    """

    serves = ("encoder",)
    weight: float = option(0.1, min=0, max=1e6, doc="factor, in units of the loss per squared derivative")
    probes: int = option(0, min=0, max=10_000, doc="random directions of the estimate; 0 = exact")

    def __call__(self, network: nn.Module, batch: Any, progress: Progress) -> dict[str, Tensor]:
        train = torch.is_grad_enabled()
        with torch.enable_grad():  # evaluation asks for the figure too
            x = batch.x.detach().requires_grad_()
            z = network(x, batch.cond).flatten(1)  # [B, D]
            norm = sum(_pull(z, v, x, train) for v in self._directions(z))
        norm = norm / max(1, self.probes)
        return {"contractive": self.weight * (norm if train else norm.detach())}

    def _directions(self, z: Tensor) -> list[Tensor]:
        """Vectors [B, D] whose outer products sum (or average) to the identity."""
        if self.probes:
            return [torch.randn_like(z) for _ in range(self.probes)]
        return [row.expand_as(z) for row in torch.eye(z.shape[1], device=z.device, dtype=z.dtype)]


@component
class Sparse(Regularizer):
    """weight * how far codes are from mostly silent: their absolute sum, or their mean activity against a target.

    `l1`: sum |z|. `kl`: sum over dimensions of KL(target || activity), nats, where activity is the mean over the batch
    of sigmoid(z), the chance that a unit speaks (Ng 2011, Sparse Autoencoder; Lee, Ekanadham and Ng 2008).
    """

    serves = ("encoder",)
    weight: float = option(0.1, min=0, max=1e6, doc="factor, in units of the loss")
    form: str = option("l1", choices=("l1", "kl"), doc="absolute sum of a code, or divergence from the target activity")
    target: float = option(0.05, above=0, below=1, doc="activity of a unit that `kl` asks for")

    def __call__(self, network: nn.Module, batch: Any, progress: Progress) -> dict[str, Tensor]:
        z = network(batch.x, batch.cond).flatten(1).float()  # [B, D]
        penalty = z.abs().sum(1).mean() if self.form == "l1" else self._divergence(z.sigmoid().mean(0))
        return {"sparse": self.weight * penalty}

    def _divergence(self, activity: Tensor) -> Tensor:
        """sum of t log(t/a) + (1 - t) log((1 - t)/(1 - a)) []."""
        activity, t = activity.clamp(1e-6, 1 - 1e-6), self.target
        speaks = t * (math.log(t) - activity.log())
        keeps = (1 - t) * (math.log(1 - t) - (-activity).log1p())
        return (speaks + keeps).sum()


def _pull(z: Tensor, v: Tensor, x: Tensor, train: bool) -> Tensor:
    """The mean over the batch of |v' dz/dx|^2."""
    (pulled,) = torch.autograd.grad(z, x, v, create_graph=train, retain_graph=True)
    return pulled.flatten(1).square().sum(1).mean()
