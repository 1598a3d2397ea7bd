"""The coder divides its interval at our whole numbers and nowhere else, and is as long as they say."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
import torch

from gen.errors import CheckpointError
from gen_compression.coder import Reader, Writer
from gen_compression.frequencies import TOTAL, above_one


def drawn(n: int, k: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Chances [n, K], and symbols [n] drawn from them."""
    rng = torch.Generator().manual_seed(seed)
    chances = (2 * torch.randn(n, k, generator=rng, dtype=torch.float64)).softmax(1)
    return chances, torch.multinomial(chances, 1, generator=rng)[:, 0]


def exact_symbols(payload: bytes, frequencies: list[list[int]]) -> list[int]:
    """A range decoder in whole numbers of any size, as the textbook has it: 64 bits of state, words of 32."""
    words = iter(np.frombuffer(payload, "<u4").tolist())
    point = next(words, 0) << 32 | next(words, 0)
    low, size, found = 0, 2**64 - 1, []
    for row in frequencies:
        part = size // TOTAL
        place = (point - low) % 2**64 // part
        symbol = next(i for i in range(len(row)) if place < sum(row[: i + 1]))
        low, size = (low + part * sum(row[:symbol])) % 2**64, part * row[symbol]
        if size < 2**32:
            low, size, point = low * 2**32 % 2**64, size * 2**32, point * 2**32 % 2**64 | next(words, 0)
        found.append(symbol)
    return found


@pytest.mark.parametrize("k", [2, 17, 256])
def test_an_exact_decoder_reads_the_symbols_from_our_frequencies(k: int) -> None:
    chances, symbols = drawn(150, k)
    writer = Writer()
    writer.push(chances, symbols)

    rows = [[int(weight) + 1 for weight in row] for row in above_one(chances).tolist()]

    assert exact_symbols(writer.bytes(), rows) == symbols.tolist()


@pytest.mark.parametrize("k", [2, 17, 300, 65_536])
def test_what_is_pushed_is_read_and_is_as_long_as_its_frequencies_say(k: int) -> None:
    steps = [drawn(6, k, seed) for seed in range(8)]
    writer = Writer()
    for chances, symbols in steps:
        writer.push(chances, symbols)
    reader = Reader(writer.bytes())
    worth = sum(-float(((above_one(p).gather(1, s[:, None]) + 1) / TOTAL).log2().sum()) for p, s in steps)

    assert all(torch.equal(reader.read(chances), symbols) for chances, symbols in steps)
    assert writer.bits == pytest.approx(worth)
    assert writer.bits <= 8 * len(writer.bytes()) <= writer.bits + 64


def test_one_symbol_alone_costs_nothing() -> None:
    writer = Writer()
    writer.push(torch.ones(3, 1), torch.zeros(3, dtype=torch.int64))

    assert (writer.bytes(), writer.bits) == (b"", 0)
    assert Reader(b"").read(torch.ones(3, 1)).tolist() == [0, 0, 0]


def test_foreign_bytes_are_read_as_some_symbols_or_refused() -> None:
    """What constriction says of invalid data becomes our own error, and nothing else comes out."""
    chances, _ = drawn(50, 5)
    for seed in range(20):
        with suppress(CheckpointError):
            found = Reader(np.random.default_rng(seed).bytes(40)).read(chances)
            assert 0 <= int(found.min()) <= int(found.max()) < 5
