"""The two ends of a range coder (Martin 1979), constriction's: what is pushed first is read first.

A model picks its values through these, so that the same walk writes and reads. Shapes: n values, K symbols.
"""

from __future__ import annotations

import math

import constriction
import numpy as np
import torch
from torch import Tensor

from gen.errors import CheckpointError
from gen_compression.frequencies import TOTAL, above_one

__all__ = ["Reader", "Writer"]

_WORD = np.dtype("<u4")  # constriction's words, as bytes the same on every machine
_FAMILY = constriction.stream.model.Categorical(perfect=False)


class Writer:
    """Encodes symbols; `bits` is what their frequencies are worth, -log2 of the product."""

    def __init__(self) -> None:
        self.coder = constriction.stream.queue.RangeEncoder()
        self.bits = 0.0

    def push(self, chances: Tensor, symbols: Tensor) -> None:
        """Symbols [n] under their chances [n, K]."""
        if chances.shape[1] > 1:  # of one symbol there is nothing to say
            weights = above_one(chances)
            self.coder.encode(symbols.numpy().astype(np.int32), _FAMILY, weights.numpy())
            taken = weights.gather(1, symbols[:, None]) + 1  # [n, 1]
            self.bits += float(math.log2(TOTAL) * len(taken) - taken.log2().sum())

    def bytes(self) -> bytes:
        """All that was pushed."""
        return self.coder.get_compressed().astype(_WORD).tobytes()


class Reader:
    """Decodes what a Writer wrote, asked for the same chances in the same order."""

    def __init__(self, payload: bytes) -> None:
        self.coder = constriction.stream.queue.RangeDecoder(np.frombuffer(payload, _WORD).astype(np.uint32))

    def read(self, chances: Tensor) -> Tensor:
        """The next symbols [n] int64.

        Raises:
            CheckpointError: no symbols were ever encoded so.
        """
        if chances.shape[1] == 1:
            return torch.zeros(len(chances), dtype=torch.int64)
        try:
            found = self.coder.decode(_FAMILY, above_one(chances).numpy())
        except (AssertionError, ValueError) as error:  # what constriction raises on invalid data
            raise CheckpointError("the code does not fit this model") from error
        return torch.from_numpy(np.asarray(found, dtype=np.int64))
