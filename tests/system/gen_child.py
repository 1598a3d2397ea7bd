"""What a forked child of the tests does: one `gen` command line, as `python -m gen` would carry it out.

Torch and the framework are imported once, by the fork server, which computes nothing; so a child starts in
milliseconds instead of seconds, and forking is safe.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence

import torch
import torch._dynamo  # the first optimizer of a process imports it

import gen.cli.resume
import gen.cli.run
import gen.cli.sample
import gen.launch
import gen.running
import gen.smoke

__all__ = ["command_line"]

assert gen.cli.run, "imported for the fork server, as its neighbours are"


def command_line(words: Sequence[str], folder: str, output: str, environment: Mapping[str, str]) -> None:
    """Carries out `gen WORDS` in a folder; stdout and stderr go to OUTPUT.out and OUTPUT.err."""
    os.environ.update({"OMP_NUM_THREADS": "1", **environment})
    os.chdir(folder)
    for number, ending in ((1, "out"), (2, "err")):
        file = os.open(f"{output}.{ending}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)
    multiprocessing.set_start_method("fork", force=True)  # as in a fresh process: the data workers are forked
    torch.set_num_threads(1)
    sys.argv = ["gen", *words]
    sys.stdout.reconfigure(line_buffering=True)
    sys.exit(gen.cli.main(list(words)))
