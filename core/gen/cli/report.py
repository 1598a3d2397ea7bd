"""`gen report RUN…`: one HTML file that shows a run, or several beside each other, made from their folders alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from gen.errors import CommandError

__all__ = ["add", "main"]


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run folders, or runs/NAME for its newest")
    parser.add_argument(
        "-o", "--out", metavar="FILE", help="the file to write (report.html in the run; of several, in this folder)"
    )


def main(args: argparse.Namespace) -> int:
    from gen.files import size_text, write_whole
    from gen.report.page import report
    from gen.report.reading import find_run

    paths = [find_run(Path(run)) for run in args.runs]
    target = Path(args.out) if args.out else (paths[0] if len(paths) == 1 else Path()) / "report.html"
    if target.is_dir():
        raise CommandError(f"gen report -o {target}: is a folder; name a file in it, such as {target / 'report.html'}")
    if not target.parent.is_dir():
        raise CommandError(f"gen report -o {target}: there is no folder {target.parent}")
    page = report(paths)
    write_whole(target, page)
    print(f"{target}  ({size_text(len(page.encode()))})")
    return 0
