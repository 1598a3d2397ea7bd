"""An optimizer: makes a torch optimizer over parameter groups.

Lion (Chen et al. 2023, arXiv:2302.06675): every weight moves by the learning rate, in the direction that a mixture of
the momentum and the gradient has.

    w ← w - lr (sign(b1 m + (1 - b1) g) + decay w),   m ← b2 m + (1 - b2) g
"""

from __future__ import annotations

from typing import Any

import torch

from gen.component import component, option
from gen.interfaces import OptimizerSpec

__all__ = ["Lion"]


@component
class Lion(OptimizerSpec):
    """The sign of a momentum: every weight moves by the learning rate. Take a third to a tenth of Adam's."""

    betas: tuple[float, float] = option((0.9, 0.99), min=0, below=1, doc="share of the momentum that moves, that stays")

    def make(self, groups: list[dict[str, Any]], *, device: torch.device) -> torch.optim.Optimizer:
        """`groups` carry their own lr and weight_decay."""
        return _Lion(groups, {"lr": self.lr, "weight_decay": self.weight_decay, "betas": self.betas})


class _Lion(torch.optim.Optimizer):
    """The update; its state is one momentum for each parameter, which checkpoints keep."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, group)

    def _move(self, parameter: torch.Tensor, group: dict[str, Any]) -> None:
        first, second = group["betas"]
        state, gradient = self.state[parameter], parameter.grad
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        direction = state["momentum"].lerp(gradient, 1 - first).sign_()
        parameter.mul_(1 - group["lr"] * group["weight_decay"]).sub_(direction, alpha=group["lr"])
        state["momentum"].lerp_(gradient, 1 - second)
