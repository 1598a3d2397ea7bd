"""What is computed in which precision.

Densities are computed in float32, outside autocast: sums over many pixels lose whole nats in half precision.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

__all__ = ["has_bf16", "no_autocast", "widen"]


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
