"""What the programs that make figures share: words in, tables and pictures out, a message where it cannot be.

A figure is Markdown with the command that made it and the minutes it took, its pictures beside it.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs
import torch
from torch import Tensor

from gen.comparison import read_run
from gen.errors import GenError
from gen.files import write_whole
from gen.pictures import png
from gen.rundir import RunFolder

__all__ = ["RESULTS", "Figure", "Rows", "at_least", "markdown", "name_of", "parser_of", "show", "trained"]

RESULTS = Path(__file__).with_name("results")
MOST_SEED = 2**63

Rows = Sequence[Sequence[str]]
"""A table; the first row is the head."""


@attrs.frozen(eq=False)
class Figure:
    """A title, tables, lines to stand below, and pictures [3, H, W] of uint8 by the last part of their name."""

    title: str
    tables: Sequence[Rows]
    below: Sequence[str] = ()
    pictures: Mapping[str, Tensor] = attrs.field(factory=dict)


def parser_of(program: str, about: str) -> argparse.ArgumentParser:
    """A parser with the words that every figure takes: the seed, and where it is written."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks {program}", description=about)
    parser.add_argument("--seed", type=at_least(0), default=0, help="of everything random here (0)")
    parser.add_argument("-o", dest="out", type=Path, default=RESULTS, metavar="DIR", help="where it is written")
    return parser


def at_least(least: int) -> Callable[[str], int]:
    """A type of a word: a whole number from `least` on."""

    def number(word: str) -> int:
        if not word.isdecimal() or not least <= int(word) < MOST_SEED:
            raise argparse.ArgumentTypeError(f"takes a whole number from {least} on, got {word}")
        return int(word)

    return number


def show(
    name: str, parser: argparse.ArgumentParser, words: Sequence[str], make: Callable[[argparse.Namespace], Figure]
) -> int:
    """Makes a figure, prints it, writes NAME.md and NAME-PICTURE.png. Exit status 0, or 2 where it cannot be made."""
    args, start = parser.parse_args(words), time.perf_counter()
    try:
        figure = make(args)
    except GenError as error:
        print(f"{parser.prog.rpartition(' ')[2]}: {error}", file=sys.stderr)
        return error.exit_code
    minutes = (time.perf_counter() - start) / 60
    said = shlex.join([*parser.prog.split(), *words])
    below = [*figure.below, f"`{said}`: seed {args.seed}, {minutes:.1f} minutes on {torch.get_num_threads()} threads."]
    lines = [f"## {figure.title}"]
    for rows in figure.tables:
        lines += ["", *markdown(rows)]
    for picture in figure.pictures:
        lines += ["", f"![{figure.title}: {picture}]({name}-{picture}.png)"]
    text = "\n".join([*lines, "", "\n".join(below), ""])
    print(text)
    args.out.mkdir(parents=True, exist_ok=True)
    for picture, image in figure.pictures.items():
        write_whole(args.out / f"{name}-{picture}.png", png(image))
    write_whole(args.out / f"{name}.md", text.encode())
    return 0


def markdown(rows: Rows) -> list[str]:
    """The lines of a table."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [lines[0], "|---" * len(rows[0]) + "|", *lines[1:]]


def trained(run: str) -> str:
    """One line on where a run came from."""
    record = read_run(run)
    seconds = f"{record.seconds / 60:.1f} minutes of training" if record.seconds else "no training time recorded"
    return f"`{name_of(run)}`: seed {record.options['seed']}, {seconds}, {record.numbers:,} parameters."


def name_of(run: str) -> str:
    """The name of a run's recipe."""
    return RunFolder.open(Path(run)).path.parent.name
