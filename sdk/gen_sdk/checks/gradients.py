"""The check that training can reach every weight."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor, nn

__all__ = ["gradients_reach_every_parameter"]


def gradients_reach_every_parameter(module: nn.Module, loss: Callable[[nn.Module], Tensor]) -> None:
    """Every trainable parameter of a slightly perturbed copy gets a finite gradient that is not zero throughout.

    The perturbation lets layers that start at zero pass gradients on. `loss` gives a scalar of the module it is
    handed; choose one that does not vanish by symmetry (a random projection of the output, not its sum after a norm).
    """
    module = deepcopy(module)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        for parameter in module.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    loss(module).backward()
    for name, parameter in module.named_parameters():
        if not parameter.requires_grad:
            continue
        grad = parameter.grad
        assert grad is not None, f"{name} gets no gradient: use it in forward, or make it a buffer"
        assert torch.isfinite(grad).all(), f"the gradient of {name} is not finite: look for log(0), sqrt(0) or 0/0"
        assert grad.any(), f"the gradient of {name} is zero throughout: something cuts it off (detach, round, argmax)"
