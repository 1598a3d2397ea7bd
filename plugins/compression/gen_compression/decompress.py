"""`gen decompress RUN FILE -o OUT`: the samples of an archive, bit by bit, as PNG files or a CSV file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gen.cli.arguments import add_plugin, known_plugins
from gen.errors import CommandError, Stopped

if TYPE_CHECKING:
    from torch import Tensor

    from gen.loading import Loaded

__all__ = ["add", "main"]


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run that it was compressed with, or runs/NAME for its newest")
    parser.add_argument("file", metavar="FILE", help="what gen compress wrote")
    parser.add_argument(
        "-o", dest="out", required=True, metavar="OUT", help="a folder for pictures, a file for a series; new, or empty"
    )
    add_plugin(parser)


def main(args: argparse.Namespace) -> int:
    out = Path(args.out)
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise CommandError(f"gen decompress -o {out}: exists already: choose another name")
    if not out.parent.is_dir():
        raise CommandError(f"gen decompress -o {out}: there is no folder {out.parent}")

    from gen_compression.archive import read_archive
    from gen_compression.restore import coder_of, restore

    header, payload = read_archive(Path(args.file))
    loaded = coder_of(header, args.run, args.file, known_plugins(args))
    x = restore(loaded.model, header, payload, args.file)
    try:
        print((_table if loaded.model.data.domain.modality == "series" else _pictures)(loaded, x, out))
    except OSError as error:
        raise Stopped(f"cannot write {error.filename}: {error.strerror}. Choose another place with -o") from error
    return 0


def _pictures(loaded: Loaded, x: Tensor, out: Path) -> str:
    """A PNG for each of the images [n, C, H, W], numbered in the order in which they were coded."""
    from gen.files import write_whole
    from gen.pictures import png, to_bytes

    out.mkdir(exist_ok=True)
    width = max(5, len(str(len(x) - 1)))
    for number, image in enumerate(to_bytes(x, loaded.model.data.domain)):
        write_whole(out / f"{number:0{width}d}.png", png(image))
    return f"{out}  ({len(x)} PNG files)"


def _table(loaded: Loaded, x: Tensor, out: Path) -> str:
    """The series [1, 1, T] under the name that the run's data give the column."""
    from gen.files import write_whole

    if out.is_dir():
        raise CommandError(f"gen decompress -o {out}: is a folder; a series goes into a file, {out / 'series.csv'}")
    name = str(loaded.config["data_section"].get("column", "value"))
    values = [str(int(value)) for value in x.flatten().tolist()]
    write_whole(out, "\n".join([name, *values]) + "\n")
    return f"{out}  ({len(values)} values)"
