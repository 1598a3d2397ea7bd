"""Rows of pairs: one number, two samples that belong together."""

from __future__ import annotations

import hashlib

from torch import Tensor

from gen.interfaces import Rows
from gen.types import Batch, DataSpec

__all__ = ["SideBySideRows", "TwoFolderRows"]


class TwoFolderRows(Rows):
    """Sample n of the one rows beside sample n of the other."""

    def __init__(self, a: Rows, b: Rows) -> None:
        assert len(a) == len(b), "pairs need both sides"
        self.a, self.b = a, b
        self.spec = DataSpec({"a": a.spec.domain, "b": b.spec.domain})

    @property
    def lazy(self) -> bool:  # type: ignore[override]
        return self.a.lazy or self.b.lazy

    def __len__(self) -> int:
        return len(self.a)

    def fetch(self, index: Tensor) -> Batch:
        return Batch({"a": self.a.fetch(index).x, "b": self.b.fetch(index).x}, None, index)

    def fingerprint(self) -> str:
        return hashlib.sha256(f"{self.a.fingerprint()} {self.b.fingerprint()}".encode()).hexdigest()

    def name(self, number: int) -> str:
        return self.a.name(number)


class SideBySideRows(Rows):
    """Images of two panels [B, 2, C, H, W]: the left is domain a, the right b."""

    def __init__(self, panels: Rows) -> None:
        self.panels = panels
        self.spec = DataSpec({"a": panels.spec.domain, "b": panels.spec.domain})

    @property
    def lazy(self) -> bool:  # type: ignore[override]
        return self.panels.lazy

    def __len__(self) -> int:
        return len(self.panels)

    def fetch(self, index: Tensor) -> Batch:
        left, right = self.panels.fetch(index).x.unbind(1)  # [B, C, H, W] each
        return Batch({"a": left, "b": right}, None, index)

    def fingerprint(self) -> str:
        return hashlib.sha256(f"side by side {self.panels.fingerprint()}".encode()).hexdigest()

    def name(self, number: int) -> str:
        return self.panels.name(number)
