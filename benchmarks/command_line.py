"""Start-up of the commands that need no torch: wall seconds, the minimum of 5 runs after a warm-up."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

BARS = {"--help": 0.15}
BAR = 0.30
ROUNDS = 5


def main() -> None:
    gen = str(Path(sys.executable).with_name("gen"))
    with tempfile.TemporaryDirectory() as folder:
        commands = [
            ["--help"],
            ["ls"],
            ["show", "nets/conv-encoder"],
            ["cat", "vae-digits"],
            ["cat", "vae-digits", "--origin"],
            ["validate", "vae-digits"],
            ["schema", "-o", f"{folder}/schema.json"],
            ["doctor"],
            ["plugin", "list"],
        ]
        for words in commands:
            seconds = min(_time([gen, *words]) for _ in range(ROUNDS + 1))
            bar = BARS.get(words[0], BAR)
            name = " ".join(word for word in words if not word.startswith("/"))
            print(f"gen {name:<26} {seconds:.3f} s   bar {bar:.2f}   {'ok' if seconds <= bar else 'ABOVE'}")


def _time(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start
