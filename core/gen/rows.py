"""Rows that lie in memory: what most data sets return from `open`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor

from gen.interfaces import Rows
from gen.types import Batch, DataSpec

__all__ = ["TensorRows"]


class TensorRows(Rows):
    """Samples as tensors [N, *shape], one per domain, with optional conditions [N].

    Store 8-bit data as uint8: they are converted to the domain's range on the device, a quarter of the memory traffic.
    """

    def __init__(self, spec: DataSpec, x: Tensor | Mapping[str, Tensor], cond: Tensor | None = None) -> None:
        self.spec = spec
        self.x = {next(iter(spec.domains)): x} if isinstance(x, Tensor) else dict(x)
        self.cond = cond
        sizes = {len(tensor) for tensor in (*self.x.values(), *((cond,) if cond is not None else ()))}
        assert len(sizes) == 1, f"domains and conditions hold different numbers of samples: {sorted(sizes)}"
        self._length = sizes.pop()
        self._hash = ""

    def __len__(self) -> int:
        return self._length

    def fetch(self, index: Tensor) -> Batch:
        x = {name: tensor.index_select(0, index) for name, tensor in self.x.items()}  # [B, *shape] each
        cond = self.cond.index_select(0, index) if self.cond is not None else None
        return Batch(x if len(x) > 1 else next(iter(x.values())), cond, index)

    def fingerprint(self) -> str:
        self._hash = self._hash or self._digest()
        return self._hash

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for name, tensor in (*self.x.items(), *((("cond", self.cond),) if self.cond is not None else ())):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.contiguous().view(torch.uint8).numpy())
        return digest.hexdigest()
