"""What is computed in which precision, and in which order images lie in memory.

Densities are computed in float32, outside autocast: sums over many pixels lose whole nats in half precision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn

__all__ = ["autocast", "has_bf16", "memory_order", "no_autocast", "settled", "widen"]

_NARROW = {"bf16": torch.bfloat16, "fp16": torch.float16}


def settled(precision: str, device: torch.device) -> str:
    """The precision itself; for "auto" bf16 where the device has instructions for it, else fp32."""
    if precision != "auto":
        return precision
    return "bf16" if has_bf16(device) else "fp32"


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """A region whose products of matrices are taken in this precision: "fp32", "bf16" or "fp16"."""
    return torch.autocast(device.type, _NARROW[precision]) if precision in _NARROW else no_autocast(device)


def no_autocast(device: torch.device) -> AbstractContextManager[object]:
    """A region without autocast on this device; free of cost where none is on."""
    if device.type == "meta" or not torch.is_autocast_enabled(device.type):
        return nullcontext()
    return torch.autocast(device.type, enabled=False)


def has_bf16(device: torch.device) -> bool:
    """Whether the device has instructions for bfloat16; without them it is emulated, several times slower than fp32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    ask = getattr(torch.cpu, "get_capabilities", None)  # torch 2.10 cannot say: as if there were none
    capabilities: Mapping[str, object] = ask() if ask is not None else {}
    return any(bool(there) for name, there in capabilities.items() if name.endswith("bf16"))


def widen(x: Tensor) -> Tensor:
    """Half precision becomes float32; float32 and float64 stay as they are."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


@contextmanager
def memory_order(module: nn.Module, channels_last: bool) -> Iterator[None]:
    """A region where the kernels of convolutions, and so the images behind them, lie in memory in this order.

    Afterwards the module has the very memory it had, so that what is computed next does not depend on the region; what
    was written into a tensor of four dimensions meanwhile is lost.
    """
    order = torch.channels_last if channels_last else torch.contiguous_format
    kept = [(tensor, tensor.data) for tensor in (*module.parameters(), *module.buffers()) if tensor.ndim == 4]
    try:
        for tensor, data in kept:
            tensor.data = data.contiguous(memory_format=order)
        yield
    finally:
        for tensor, data in kept:
            tensor.data = data
