"""Where a model lives, for samplers that make the first tensor themselves."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["device_of"]


def device_of(model: nn.Module) -> torch.device:
    """The device of the model's first parameter; the CPU for a model that has none."""
    first = next(model.parameters(), None)
    return torch.device("cpu") if first is None else first.device
