"""What gen-compression adds: two commands, and no component (torch-free)."""

from __future__ import annotations

from gen.hookspecs import Command, hookimpl

__all__ = ["gen_commands"]


@hookimpl
def gen_commands() -> list[Command]:
    return [
        Command("compress", "gen_compression.compress", "code images or a series with a trained model, losslessly"),
        Command("decompress", "gen_compression.decompress", "decode what gen compress wrote, bit by bit"),
    ]
