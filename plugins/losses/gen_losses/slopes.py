"""Penalties on the slope of a discriminator in its samples, and the bound on its weights.

For an adversarial game: the batch is a `gen.types.Contest`. |grad D|^2 is summed over the dimensions of a sample and
averaged over the batch. Samples of a batch must not reach each other, as they do through batch norm.

A lazy penalty (Karras et al. 2020, arXiv:1912.04958, appendix B) is taken at every `every`-th update of the network,
times `every`: its mean over the updates is that of the full one. Where gradients are off, as in evaluation, the penalty
itself is taken, always: what is reported does not depend on the step.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from gen.component import component, interface, option
from gen.interfaces import Regularizer
from gen.types import Contest, Progress

__all__ = ["R1", "R2", "GradientPenalty", "WeightClip"]


@interface
class _Lazy(Regularizer):
    """What slope penalties share: their cadence."""

    serves = ("discriminator",)
    every: int = option(1, min=1, max=1_000_000, doc="updates between two turns; the penalty is multiplied by it")

    def due(self, progress: Progress) -> bool:
        return progress.turn % self.every == 0 or not torch.is_grad_enabled()

    def factor(self) -> int:
        """What makes up for the updates without the penalty."""
        return self.every if torch.is_grad_enabled() else 1


@component
class R1(_Lazy):
    """gamma/2 E_p |grad D(x)|^2, on real samples (Mescheder, Geiger and Nowozin 2018, arXiv:1801.04406).

    Costs one backward pass more (of the discriminator alone), no forward pass.
    """

    gamma: float = option(1.0, min=0, max=1e6, doc="weight; published from 0.1 at 32x32 to 10 at 256x256 pixels")

    def __call__(self, network: nn.Module, batch: Contest, progress: Progress) -> dict[str, Tensor]:
        if not self.due(progress):
            return {"r1": _nothing(batch)}
        return {"r1": 0.5 * self.gamma * self.factor() * _square(batch.real_logits, batch.real)}


@component
class R2(_Lazy):
    """gamma/2 E_q |grad D(y)|^2, on generated samples (Mescheder, Geiger and Nowozin 2018, arXiv:1801.04406).

    The mirror of `losses/r1`, at the same cost. Relativistic losses need both (Huang et al. 2024, arXiv:2501.05441).
    """

    gamma: float = option(1.0, min=0, max=1e6, doc="weight, usually that of r1")

    def __call__(self, network: nn.Module, batch: Contest, progress: Progress) -> dict[str, Tensor]:
        if not self.due(progress):
            return {"r2": _nothing(batch)}
        return {"r2": 0.5 * self.gamma * self.factor() * _square(batch.fake_logits, batch.fake)}


@component
class GradientPenalty(_Lazy):
    """weight E (|grad D(u)| - 1)^2, u between a real and a generated sample (Gulrajani et al. 2017, arXiv:1704.00028).

    Costs a forward and a backward pass more, at points drawn uniformly on the lines between the two.
    """

    weight: float = option(10.0, min=0, max=1e6, doc="weight, called lambda in the paper")

    def __call__(self, network: nn.Module, batch: Contest, progress: Progress) -> dict[str, Tensor]:
        if not self.due(progress):
            return {"gradient_penalty": _nothing(batch)}
        train = torch.is_grad_enabled()
        with torch.enable_grad():  # evaluation asks for the figure too
            between = _between(_parts(batch.real), _parts(batch.fake))
            logits = network(between if isinstance(batch.real, tuple) else between[0], batch.cond)
            slope = (_squares(logits, between, train) + 1e-12).sqrt()  # [B]; the root's own slope is infinite at 0
        penalty = self.weight * self.factor() * (slope - 1).square().mean()
        return {"gradient_penalty": penalty if train else penalty.detach()}


@component
class WeightClip(Regularizer):
    """Keeps every weight of the critic in [-bound, bound] (Arjovsky, Chintala and Bottou 2017, arXiv:1701.07875).

    It adds nothing to the loss: the model clips after the critic's update. Norms and biases are clipped too, as in the
    paper.
    """

    serves = ("discriminator",)
    bound: float = option(0.01, above=0, max=1e6, doc="largest absolute value of a weight")

    def __call__(self, network: nn.Module, batch: Any, progress: Progress) -> dict[str, Tensor]:
        return {}

    def due(self, progress: Progress) -> bool:
        return False

    @torch.no_grad()
    def constrain(self, network: nn.Module) -> None:
        weights = list(network.parameters())
        torch._foreach_clamp_min_(weights, -self.bound)
        torch._foreach_clamp_max_(weights, self.bound)


def _square(logits: Tensor | None, x: Any) -> Tensor:
    """E |grad D|^2 [] from logits that hang on x."""
    assert logits is not None, "a due penalty gets logits that hang on their samples"
    train = torch.is_grad_enabled()
    mean = _squares(logits, _parts(x), train).mean()
    return mean if train else mean.detach()


def _squares(logits: Tensor, parts: tuple[Tensor, ...], train: bool) -> Tensor:
    """|grad of the summed logits of a sample|^2 [B], in float32 at least."""
    with torch.enable_grad():
        slopes = torch.autograd.grad(logits.sum(), parts, create_graph=train, retain_graph=True)
        squares = [s.to(torch.promote_types(s.dtype, torch.float32)).square().flatten(1).sum(1) for s in slopes]
        return torch.stack(squares).sum(0)


def _between(real: tuple[Tensor, ...], fake: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    t = torch.rand(len(real[0]), device=real[0].device, dtype=real[0].dtype)  # [B]
    mixed = [a.detach().lerp(b.detach(), t.view(-1, *[1] * (a.dim() - 1))) for a, b in zip(real, fake, strict=True)]
    return tuple(x.requires_grad_() for x in mixed)


def _parts(x: Any) -> tuple[Tensor, ...]:
    return x if isinstance(x, tuple) else (x,)


def _nothing(batch: Contest) -> Tensor:
    return torch.zeros((), device=_parts(batch.real)[0].device)
