"""`python -m benchmarks [NAME…]`: measures and prints; without names, all that need no trained runs.

`python -m benchmarks NAME WORDS…` with one of `WITH_WORDS`: that one alone, which takes words of its own (`-h` says
which).
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence

from benchmarks import command_line, gan_step_time, step_time

MEASUREMENTS: dict[str, Callable[[], None]] = {
    "command-line": command_line.main,
    "step-time": step_time.main,
    "gan-step-time": gan_step_time.main,
}
WITH_WORDS = (
    "autoencoders",
    "autoregressive-sampling",
    "content-drift",
    "diffusion-speed",
    "film-strip",
    "guidance-sweep",
    "inverse-tasks",
    "learning-curves",
    "mixture-density",
    "sampler-steps",
)
"""Each is a module of this package, imported when it is named."""


def main(words: Sequence[str] | None = None) -> int:
    """Exit status 0, or 2 where a name or a word is refused."""
    words = sys.argv[1:] if words is None else list(words)
    if words and words[0] in WITH_WORDS:
        status: int = importlib.import_module(f"benchmarks.{words[0].replace('-', '_')}").main(words[1:])
        return status
    names = words or list(MEASUREMENTS)
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        print(
            f"no benchmark {', '.join(unknown)}; there are {', '.join(MEASUREMENTS)}, and, one at a time, "
            f"{', '.join(WITH_WORDS)}",
            file=sys.stderr,
        )
        return 2
    for name in names:
        print(f"\n== {name}")
        MEASUREMENTS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
