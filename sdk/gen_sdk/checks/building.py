"""Checks of how a module comes into being: from a seed, on the meta device, as a copy."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor, nn

__all__ = ["copy_is_independent", "meta_build_has_the_same_shapes", "same_seed_gives_same_weights"]


def same_seed_gives_same_weights(make: Callable[[], nn.Module], seed: int = 0) -> None:
    """Two builds under one seed have equal weights: a run can be repeated."""
    first, second = _seeded(make, seed), _seeded(make, seed)
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), (
            f"{name} differs between two builds under one seed: initialise from torch's global generator "
            f"(torch.nn.init), not from random, numpy or a generator of your own"
        )


def meta_build_has_the_same_shapes(make: Callable[[], nn.Module]) -> None:
    """The module builds without memory, with the shapes of a real build: what `gen plan` relies on."""
    try:
        with torch.device("meta"):
            shapeless = make()
    except (RuntimeError, NotImplementedError) as error:
        raise AssertionError(
            f"the module does not build on the meta device, where tensors have no values ({error}): "
            f"do not read values (.item(), .tolist(), if tensor) while building"
        ) from error
    real = make()
    for name, tensor in _tensors(shapeless).items():
        assert tensor.is_meta, f"{name} ignores the device it is built on: leave out device= where tensors are made"
    found, wanted = ({name: tensor.shape for name, tensor in _tensors(m).items()} for m in (shapeless, real))
    assert found == wanted, f"on the meta device the module builds {found}, else {wanted}: build from shapes alone"


def copy_is_independent(module: nn.Module, call: Callable[[nn.Module], Tensor]) -> None:
    """A deep copy (an EMA, a frozen reference) computes the same from tensors of its own.

    `call` runs the module on something fixed.
    """
    copy = deepcopy(module)
    with torch.no_grad():
        before, same = _repeatable(call, module), _repeatable(call, copy)
        assert torch.equal(before, same), "a deep copy computes something else: keep state in parameters and buffers"
        for parameter in copy.parameters():
            parameter.add_(1.0)
        after, changed = _repeatable(call, module), _repeatable(call, copy)
    assert torch.equal(before, after), "changing a deep copy changes the original: share no tensor outside the module"
    assert not torch.equal(after, changed), (
        "a deep copy still computes with the weights of the original: keep no bound method, closure or lambda that "
        "refers to self or to a layer"
    )


def _seeded(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def _repeatable(call: Callable[[nn.Module], Tensor], module: nn.Module) -> Tensor:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return call(module)


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}
