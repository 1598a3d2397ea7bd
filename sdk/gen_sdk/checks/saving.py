"""The check that a module survives being saved."""

from __future__ import annotations

from collections.abc import Callable

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

__all__ = ["safetensors_round_trip"]


def safetensors_round_trip(make: Callable[[], nn.Module], call: Callable[[nn.Module], Tensor]) -> None:
    """A module built anew and given the saved weights of another computes exactly the same.

    `make` builds the module, with different weights each time; `call` runs it on something fixed, deterministically.
    """
    module, other = make(), make()
    try:
        stored = save({name: tensor.contiguous() for name, tensor in module.state_dict().items()})
    except (RuntimeError, AttributeError) as error:
        raise AssertionError(
            f"the state cannot be saved as safetensors ({error}): keep tensors only, and share none between two names"
        ) from error
    other.load_state_dict(load(stored))
    with torch.no_grad():
        assert torch.equal(call(module.eval()), call(other.eval())), (
            "the restored module computes something else: keep all state in parameters and persistent buffers"
        )
