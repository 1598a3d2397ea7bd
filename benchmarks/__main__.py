"""`python -m benchmarks [NAME…]`: measures and prints; without names, all that need no trained runs.

`python -m benchmarks autoencoders …` measures finished runs, and takes words of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from benchmarks import autoencoders, command_line, step_time

MEASUREMENTS: dict[str, Callable[[], None]] = {"command-line": command_line.main, "step-time": step_time.main}


def main() -> int:
    if sys.argv[1:2] == ["autoencoders"]:
        return autoencoders.main(sys.argv[2:])
    names = sys.argv[1:] or list(MEASUREMENTS)
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        print(
            f"no benchmark {', '.join(unknown)}; there are {', '.join([*MEASUREMENTS, 'autoencoders'])}",
            file=sys.stderr,
        )
        return 2
    for name in names:
        print(f"\n== {name}")
        MEASUREMENTS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
