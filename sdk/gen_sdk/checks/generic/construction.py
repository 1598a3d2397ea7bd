"""How a component comes into being: from options and a seed alone, touching nothing else."""

from __future__ import annotations

import logging
import os
import random
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from gen_sdk.checks.calling import NETWORKS
from gen_sdk.checks.check import Failure, check, expect
from gen_sdk.checks.generic.comparing import answered, expect_same, tensors
from gen_sdk.checks.subject import Subject

__all__ = ["CHECKS"]

LEARNING = (*NETWORKS, "model")
"""Kinds that have parameters; others, a plugin's own among them, may be mathematics alone."""


def named(part: nn.Module) -> dict[str, torch.Tensor]:
    """Every parameter and buffer by name, those that are not saved too."""
    return {**dict(part.named_parameters()), **dict(part.named_buffers())}


@check(tier="bronze", applies=tensors, hint="initialise from torch's global generator (torch.nn.init), nothing else")
def same_seed_gives_same_weights(subject: Subject) -> None:
    """Two builds under one seed have equal tensors, whatever Python's own generators have drawn in between."""
    first = named(subject.make(seed=3))
    random.random()
    _numpy("random")
    second = named(subject.make(seed=3))
    expect(first.keys() == second.keys(), f"two builds have other tensors: {sorted(first.keys() ^ second.keys())}")
    for name, tensor in first.items():
        expect(torch.equal(tensor, second[name]), f"{name} differs between two builds under one seed")


@check(tier="bronze", applies=tensors, hint="make layers in build(), and keep them in attributes or in a ModuleList")
def modules_are_registered(subject: Subject) -> None:
    """No module, parameter or tensor hides from torch in a list, a dictionary or a plain attribute."""
    part = subject.make()
    if subject.spec.kind in LEARNING:
        expect(bool(list(part.parameters())), "it has no parameter: layers are made in build()")
    hidden = sorted(_hidden(part))
    expect(not hidden, f"torch does not see what these hold: {', '.join(hidden)}")


def _hidden(part: nn.Module) -> Iterator[str]:
    own = set(vars(nn.Module()))
    for path, module in part.named_modules():
        if type(module).__module__.startswith("torch."):
            continue  # torch's own keep such lists of what they have registered
        for name, value in vars(module).items():
            held = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else [value]
            if name not in own and any(isinstance(one, (nn.Module, torch.Tensor)) for one in held):
                yield f"{path}.{name}".lstrip(".")


@check(
    tier="bronze",
    hint="read, write, download and configure nothing while building: open() reads data, a hook runs with the run",
)
def building_has_no_side_effects(subject: Subject) -> None:
    """Building opens no file, no connection and no process, and leaves every global setting as it was."""
    before = _globals()
    with _watched() as events:
        subject.make()
    expect(not events, f"building does this: {'; '.join(sorted(set(events))[:5])}")
    after = _globals()
    changed = [name for name in before if before[name] != after[name]]
    expect(not changed, f"building changes {', '.join(changed)}")


@check(tier="bronze", applies=tensors, hint="leave torch.manual_seed to the run: draw from the generator as it stands")
def building_reseeds_nothing(subject: Subject) -> None:
    """Building draws from torch's global generator but never seeds it."""
    seeds: list[Any] = []
    real: Any = torch.manual_seed

    def noted(seed: int) -> torch.Generator:
        seeds.append(seed)
        return torch.default_generator.manual_seed(seed)

    torch.manual_seed = noted
    try:
        subject.make(seed=11)
    finally:
        torch.manual_seed = real
    expect(not seeds, f"building seeds the global generator with {seeds[:1]}")


_AUDIT: dict[str, Any] = {"events": None, "installed": False}
_WATCHED = ("open", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.mkdir", "os.remove", "os.rename")
_CODE = (".py", ".pyc", ".so", ".pyd", ".dist-info")


def _audit(event: str, args: tuple[Any, ...]) -> None:
    events = _AUDIT["events"]
    if events is None or event not in _WATCHED:
        return
    what = str(args[0]) if args else ""
    if event == "open" and (isinstance(args[0], int) or what.endswith(_CODE) or not what):
        return  # importing is no side effect
    events.append(f"{event} {what}")


@contextmanager
def _watched() -> Iterator[list[str]]:
    """Collects what the block does to files, the network and processes."""
    if not _AUDIT["installed"]:
        sys.addaudithook(_audit)
        _AUDIT["installed"] = True
    events: list[str] = []
    _AUDIT["events"] = events
    try:
        yield events
    finally:
        _AUDIT["events"] = None


def _globals() -> dict[str, Any]:
    """The settings that a component could change for everyone."""
    return {
        "torch's default dtype": torch.get_default_dtype(),
        "torch's default device": torch.get_default_device(),
        "torch.set_grad_enabled": torch.is_grad_enabled(),
        "torch's number of threads": torch.get_num_threads(),
        "torch.use_deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "the precision of float32 products": torch.get_float32_matmul_precision(),
        "torch.backends.cudnn": (torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic),
        "torch.backends.cuda.matmul": torch.backends.cuda.matmul.allow_tf32,
        "Python's random state": random.getstate(),
        "numpy's random state": _numpy("state"),
        "the warning filters": list(warnings.filters),
        "the environment": dict(os.environ),
        "the working directory": os.getcwd(),
        "the root logger": (logging.root.level, list(logging.root.handlers)),
        "the threads": {thread.name for thread in threading.enumerate()},
        "the forward of torch.nn.Module": (nn.Module.__call__, nn.Linear.forward, nn.Conv2d.forward),
    }


def _numpy(what: str) -> Any:
    """A draw of numpy's global generator, or its state as text; nothing where numpy is not there."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    return numpy.random.random() if what == "random" else str(numpy.random.get_state())


@check(
    tier="silver", applies=tensors, hint="leave out device= where tensors are made, and read no value while building"
)
def meta_build_materialises(subject: Subject) -> None:
    """Built on the meta device and given memory and a saved state, it computes what a direct build does."""
    try:
        shapeless = subject.make(device="meta")
    except (RuntimeError, NotImplementedError) as error:
        raise Failure(f"it does not build on the meta device: {str(error).partition(chr(10))[0]}") from error
    real, other = subject.make(seed=0), subject.make(seed=9)
    found, wanted = named(shapeless), named(real)
    kept = [name for name, tensor in found.items() if not tensor.is_meta]
    expect(not kept, f"built on the meta device, {', '.join(kept)} is elsewhere")
    drift = sorted(n for n in found.keys() | wanted.keys() if _form(found.get(n)) != _form(wanted.get(n)))
    expect(not drift, f"on the meta device these come out otherwise than on the CPU: {', '.join(drift)}")
    made = shapeless.to_empty(device="cpu")
    made.load_state_dict(real.state_dict())
    unsaved = named(made).keys() - made.state_dict().keys()
    for name in unsaved:  # what is not saved is worked out anew, from options alone: as any other build has it
        expect(torch.equal(wanted[name], named(other)[name]), f"{name} is not saved, yet depends on the seed")
        named(made)[name].data.copy_(wanted[name])
    left = [f"{path}.{name}".lstrip(".") for path, m in made.named_modules() for name, v in vars(m).items() if _meta(v)]
    expect(not left, f"these stay on the meta device: {', '.join(left)}")
    if subject.called:
        inputs = subject.inputs(real, 2)
        _compare(subject, made.eval(), real.eval(), inputs)


def _compare(subject: Subject, made: nn.Module, real: nn.Module, inputs: Any) -> None:
    expect_same(answered(subject, made, inputs), answered(subject, real, inputs), "materialised")


def _form(tensor: torch.Tensor | None) -> Any:
    return None if tensor is None else (tuple(tensor.shape), tensor.dtype, tensor.requires_grad)


def _meta(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_meta


CHECKS = (
    same_seed_gives_same_weights,
    modules_are_registered,
    building_has_no_side_effects,
    building_reseeds_nothing,
    meta_build_materialises,
)
