"""Devices and processes, through accelerate: what one process needs to know of the others."""

from __future__ import annotations

import atexit
import os
from datetime import timedelta
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import InitProcessGroupKwargs

from gen.errors import CommandError

__all__ = ["EXPECTED", "chosen_device", "make_accelerator", "share"]

EXPECTED = "GEN_PROCESSES"
"""Set by our launcher: how many processes the person asked for."""

_UNSUPPORTED = {
    "ACCELERATE_USE_FSDP": "FSDP",
    "ACCELERATE_USE_DEEPSPEED": "DeepSpeed",
    "ACCELERATE_USE_MEGATRON_LM": "Megatron-LM",
}
_TIMEOUT = timedelta(minutes=5)


def chosen_device(device: str) -> torch.device:
    """The device that "auto", "cpu" or "cuda" stands for here."""
    return torch.device("cpu" if _is_cpu(device) else "cuda")


def make_accelerator(device: str, precision: str) -> Accelerator:
    """The accelerator of this process: device, precision, process group.

    Args:
        device: "auto", "cpu" or "cuda".

    Raises:
        CommandError: a device, precision or launch configuration that is not to be had here.
    """
    for variable, name in _UNSUPPORTED.items():
        if os.environ.get(variable, "false").lower() in ("true", "1"):
            raise CommandError(f"{name} is not supported: launch with plain data parallelism (gen run --processes N)")
    if device == "cuda" and not torch.cuda.is_available():
        raise CommandError("--device cuda: torch sees no CUDA device here (gen doctor --devices says more)")
    cpu = _is_cpu(device)
    if cpu and precision == "fp16":
        raise CommandError("train.precision fp16 needs a GPU; bf16 works on this CPU")
    if not torch.distributed.is_initialized():
        # A process may run several recipes (a notebook does); accelerate keeps its first settings for ever.
        AcceleratorState._reset_state(reset_partial_state=True)
    accelerator = Accelerator(
        cpu=cpu,
        mixed_precision="no" if precision == "fp32" else precision,
        kwargs_handlers=[InitProcessGroupKwargs(timeout=_TIMEOUT)],
    )
    atexit.unregister(_leave)
    atexit.register(_leave)
    expected = int(os.environ.get(EXPECTED, accelerator.num_processes))
    if accelerator.num_processes != expected:
        raise CommandError(f"{expected} processes were asked for, but {accelerator.num_processes} came up")
    return accelerator


def _is_cpu(device: str) -> bool:
    return device == "cpu" or (device == "auto" and not torch.cuda.is_available())


def _leave() -> None:
    """Gloo's threads abort a process that ends while they still hold on to a peer that has gone."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def share(value: Any) -> Any:
    """The first process's value, on every process."""
    if not torch.distributed.is_initialized():
        return value
    box = [value]
    torch.distributed.broadcast_object_list(box, src=0)
    return box[0]
