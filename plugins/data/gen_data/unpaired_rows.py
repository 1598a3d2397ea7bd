"""Two sets of samples without a correspondence, as pairs drawn anew at every epoch.

With N samples in the longer domain and M in the shorter, the number n stands for the pair of

    sample n mod N of the longer,   sample (n mod N + n div N) mod M of the shorter:

every pair has exactly one number in 0 to N·M - 1, and the numbers below N show every sample at least once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor

from gen.interfaces import Rows
from gen.types import Batch, DataSpec

__all__ = ["UnpairedRows"]


class UnpairedRows(Rows):
    """Rows of two domains. An epoch shows each sample of the longer once, of the shorter N/M times (rounded)."""

    def __init__(self, domains: Mapping[str, Rows]) -> None:
        assert len(domains) == 2, "a pair has two sides"
        self.domains = dict(domains)
        self.spec = DataSpec({name: rows.spec.domain for name, rows in domains.items()})
        self._long, self._short = sorted(domains, key=lambda name: -len(domains[name]))

    @property
    def lazy(self) -> bool:  # type: ignore[override]
        return any(rows.lazy for rows in self.domains.values())

    def __len__(self) -> int:
        return len(self.domains[self._long]) if len(self.domains[self._short]) else 0

    def places(self, index: Tensor) -> dict[str, Tensor]:
        """The numbers [B] of the samples within each domain."""
        long = index % len(self)
        short = (long + index // len(self)) % len(self.domains[self._short])
        return {name: long if name == self._long else short for name in self.domains}

    def fetch(self, index: Tensor) -> Batch:
        places = self.places(index)
        return Batch({name: rows.fetch(places[name]).x for name, rows in self.domains.items()}, None, index)

    def order(self, rng: torch.Generator) -> Tensor:
        """A permutation of the longer domain beside permutations of the shorter, one after another."""
        n, m = len(self), len(self.domains[self._short])
        long = torch.randperm(n, generator=rng)  # [N]
        short = torch.cat([torch.randperm(m, generator=rng) for _ in range(-(-n // m))])[:n]  # [N]
        return long + n * ((short - long) % m)

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for name, rows in self.domains.items():
            digest.update(f"{name} {rows.fingerprint()}\0".encode())
        return digest.hexdigest()
