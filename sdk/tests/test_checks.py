"""Each check passes a sound module and catches a planted fault, with a hint on the cure."""

import random
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from gen_sdk.checks.building import copy_is_independent, meta_build_has_the_same_shapes, same_seed_gives_same_weights
from gen_sdk.checks.gradients import gradients_reach_every_parameter
from gen_sdk.checks.rows import rows_are_independent
from gen_sdk.checks.saving import safetensors_round_trip

X = torch.linspace(-1, 1, 12).view(4, 3)


class Sound(nn.Module):
    """Linear layers, the last one starting at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(3, 5), nn.Linear(5, 2)
        nn.init.zeros_(self.last.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.first(x).tanh())


class OwnGenerator(Sound):
    def __init__(self) -> None:
        super().__init__()
        nn.init.constant_(self.first.weight, random.random())


class ReadsValues(Sound):
    def __init__(self) -> None:
        super().__init__()
        self.size = self.first.weight.sum().item()


class OwnDevice(Sound):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("table", torch.zeros(3, device="cpu"))


class BoundLambda(Sound):
    def __init__(self) -> None:
        super().__init__()
        self.net = lambda x: self.last(self.first(x))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Unused(Sound):
    def __init__(self) -> None:
        super().__init__()
        self.spare = nn.Linear(1, 1)


class Detached(Sound):
    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.first(x).detach() + 0 * self.first(x))


class Explosive(Sound):
    def forward(self, x: Tensor) -> Tensor:
        return (self.last(self.first(x)) * 0).sqrt()


class Standardised(Sound):
    def forward(self, x: Tensor) -> Tensor:
        return self.first(x - x.mean(0))


class Squeezed(Sound):
    def forward(self, x: Tensor) -> Tensor:
        return self.first(x).squeeze()


class Tied(Sound):
    def __init__(self) -> None:
        super().__init__()
        self.again = nn.Linear(3, 5)
        self.again.weight = self.first.weight


class HiddenState(Sound):
    def __init__(self) -> None:
        super().__init__()
        self.shift = torch.rand(())

    def forward(self, x: Tensor) -> Tensor:
        return self.first(x) + self.shift


def call(module: nn.Module) -> Tensor:
    return module(X)


CHECKS: dict[str, Callable[[type[nn.Module]], None]] = {
    "seed": same_seed_gives_same_weights,
    "meta": meta_build_has_the_same_shapes,
    "copy": lambda make: copy_is_independent(make(), call),
    "gradients": lambda make: gradients_reach_every_parameter(make(), lambda m: m(X).square().sum()),
    "rows": lambda make: rows_are_independent(make(), X),
    "saving": lambda make: safetensors_round_trip(make, call),
}


@pytest.mark.parametrize("check", CHECKS)
def test_a_sound_module_passes(check):
    CHECKS[check](Sound)


@pytest.mark.parametrize(
    ("check", "fault", "hint"),
    [
        ("seed", OwnGenerator, "initialise from torch's global generator"),
        ("meta", ReadsValues, "do not read values"),
        ("meta", OwnDevice, "leave out device="),
        ("copy", BoundLambda, "keep no bound method, closure or lambda"),
        ("gradients", Unused, "spare.weight gets no gradient"),
        ("gradients", Detached, "first.weight is zero throughout"),
        ("gradients", Explosive, "is not finite"),
        ("rows", Standardised, "never over the batch"),
        ("rows", Squeezed, "squeeze and reshape with care"),
        ("saving", Tied, "share none between two names"),
        ("saving", HiddenState, "keep all state in parameters"),
    ],
)
def test_a_planted_fault_is_caught(check, fault, hint):
    with pytest.raises(AssertionError, match=hint):
        CHECKS[check](fault)


def test_checks_leave_module_and_generator_as_they_were():
    module = Sound()
    before, state = [parameter.clone() for parameter in module.parameters()], torch.get_rng_state()
    copy_is_independent(module, call)
    gradients_reach_every_parameter(module, lambda m: m(X).square().sum())
    rows_are_independent(module, X)

    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))
    assert all(parameter.grad is None for parameter in module.parameters())
    assert torch.equal(state, torch.get_rng_state())
